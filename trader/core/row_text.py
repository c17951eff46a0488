# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Lines of bars as bytes -> int64 columns, in one pass over the bytes.

Lives here: the loop that reads the usual line (plain digits and a point, whole epoch stamps or ISO
dates in UTC) straight into ticks and float64 volumes. Prices never pass through a float. It judges
nothing: the first line that is not of the usual form, or not a possible bar after the one before,
is left unread, and whoever asked looks at it the general way. Must not live here: which column is
which, and what to say about a line.
"""

from __future__ import annotations

from array import array

from trader.core.money import AMOUNT_MAX
from trader.core.series import Floats, Ints

# What a column holds. Prices lie side by side: OPEN <= role <= CLOSE.
SKIP, TIME, OPEN, HIGH, LOW, CLOSE, VOLUME, SYMBOL, CLOSED = range(9)
# The same as C numbers, which cannot be imported.
_SKIP, _TIME, _OPEN, _HIGH, _LOW, _CLOSE, _VOLUME, _SYMBOL, _CLOSED = range(9)
# A decimal of up to 15 digits is not the shadow of a shorter one.
DIGITS_MAX = 15
TEXT_BYTES_MAX = 40
NUMBER_MOST = 100_000_000_000_000_000  # one more digit still fits in 64 bits, and can be rounded
# See `trader.bars.ticks`, whose numbers these are.
SHADOW_LEAST = 1_000_000_000_000_000
SHADOW_RELATIVE = 1_000_000_000
SHADOW_OF_UNIT = 10_000
STAMP_MS_MAX = 100_000_000_000_000
STAMP_MOST = 900_000_000_000_000_000  # one more digit still fits in 64 bits
DATE_BYTES_MAX = 32
DAY_MS = 86_400_000
NEWLINE, ZERO = 10, 48
EXACT = 9_007_199_254_740_992  # 2**53: whole numbers up to here are exact as floats
POWERS = array("q", [int("1" + "0" * n) for n in range(19)])
TENS = array("d", [float(f"1e{n}") for n in range(23)])
MONTHS = array("q", [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])


class RowText:
    """How lines are read, and the row in hand.

    Attributes:
        at: where the first line that was not read begins, after `read`.
        needed: decimals of a price that has more than `digits`, after `read`; else 0.
        last_ms: open time of the last row that was read.
        digits, coefficient: a tick is coefficient * 10**-digits.
        snaps: 1 when the shadow of a shorter decimal is taken for it, and counted in `snapped`.
        times, over, offset_ms: a stamp s is s * times / over + offset_ms; `times` 0: ISO dates.
        step: 1 for lines oldest first, -1 for newest first.
    """

    def __init__(self, roles: array[int], delimiter: int, symbol: bytes, closed: bytes) -> None:
        """`roles`: int64[columns]. `symbol`, `closed`: the only texts that such cells may hold."""
        self.roles = roles
        self.width = len(roles)
        self.delimiter = delimiter
        self.symbol = symbol
        self.closed = closed
        self.values = array("q", [0] * 9)
        self.powers = POWERS
        self.tens = TENS
        self.months = MONTHS
        self.amount_max = AMOUNT_MAX
        self.at = 0
        self.stop = 0
        self.needed = 0
        self.last_ms = -1
        self.digits = 0
        self.coefficient = 1
        self.snaps = 0
        self.snapped = 0
        self.row_snapped = 0
        self.times = 1
        self.over = 1
        self.offset_ms = 0
        self.step = 1
        self.clock = 0
        self.traded = 0.0

    def read(
        self, data: bytes, at: int, prices: tuple[array[int], ...], volume: array[float]
    ) -> int:
        """How many rows were read from data[at:], whole lines each ended by a newline.

        `prices`: open time, open, high, low, close: int64[room] each; `volume`: float64[room].
        """
        text = data
        stop = len(data)
        self.stop = stop
        open_ms, opened, high, low, close = prices
        room = len(volume)
        count = 0
        self.at = at
        self.needed = 0
        while count < room and at < stop:
            self.row_snapped = 0
            at = self.line(text, at)
            if at < 0:
                break
            open_ms[count] = self.values[_TIME]
            opened[count] = self.values[_OPEN]
            high[count] = self.values[_HIGH]
            low[count] = self.values[_LOW]
            close[count] = self.values[_CLOSE]
            volume[count] = self.traded
            self.last_ms = self.values[_TIME]
            self.snapped += self.row_snapped
            self.at = at
            count += 1
        return count

    def line(self, text: bytes, at: int) -> int:
        """Where the next line begins; -1 when this one is not read."""
        for column in range(self.width):
            role = self.roles[column]
            if role == _SKIP:
                at = self.skip(text, at)
            elif role == _TIME:
                at = self.stamp(text, at) if self.times else self.date(text, at)
            elif role == _VOLUME:
                at = self.quantity(text, at)
            elif role == _SYMBOL:
                at = self.same(text, at, self.symbol)
            elif role == _CLOSED:
                at = self.same(text, at, self.closed)
            else:
                at = self.price(text, at, role)
            if at < 0 or text[at] != (NEWLINE if column == self.width - 1 else self.delimiter):
                return -1
            at += 1
        opened = self.values[_OPEN]
        high = self.values[_HIGH]
        low = self.values[_LOW]
        close = self.values[_CLOSE]
        if low > opened or low > close or high < opened or high < close:
            return -1
        return at

    def skip(self, text: bytes, at: int) -> int:
        """Past a cell that nobody looks at; -1 when it is not plain ASCII."""
        while text[at] != self.delimiter and text[at] != NEWLINE:
            if text[at] >= 128:
                return -1
            at += 1
        return at

    def same(self, text: bytes, at: int, wanted: bytes) -> int:
        """Past a cell that begins with exactly these bytes."""
        for i in range(len(wanted)):
            if text[at] != wanted[i]:
                return -1
            at += 1
        return at

    def price(self, text: bytes, at: int, role: int) -> int:
        """Past a price, which is then in `values` as ticks."""
        begin = at
        point = -1
        number = 0
        while True:
            digit = text[at]
            if 48 <= digit <= 57:
                if number >= NUMBER_MOST:
                    return -1
                number = number * 10 + (digit - ZERO)
            elif digit == 46 and point < 0:
                point = at
            else:
                break
            if at - begin > TEXT_BYTES_MAX:
                return -1
            at += 1
        decimals = at - point - 1 if point >= 0 else 0
        if number == 0:
            return -1
        if at - begin > DIGITS_MAX + (1 if point >= 0 else 0):
            while decimals > 0 and number % 10 == 0:
                number //= 10
                decimals -= 1
            if number >= SHADOW_LEAST and decimals > 0:
                if self.snaps == 0:
                    return -1
                number, decimals = self.shortened(number, decimals)
        return at if self.keep_price(number, decimals, role) else -1

    def shortened(self, number: int, decimals: int) -> tuple[int, int]:
        """(number, decimals) of the shorter decimal that a long one is the shadow of, or itself.

        As `trader.bars.ticks.shortened` has it: within 1e-9 of the price, and a small part of the
        last digit kept.
        """
        dropped = 17
        while dropped > 3:
            unit = self.powers[dropped]
            kept = (number + unit // 2) // unit
            error = number - kept * unit
            if error < 0:
                error = -error
            if kept > 0 and error <= number // SHADOW_RELATIVE and error <= unit // SHADOW_OF_UNIT:
                self.row_snapped += 1
                number = kept
                decimals -= dropped
                break
            dropped -= 1
        while decimals < 0:
            number *= 10
            decimals += 1
        while decimals > 0 and number % 10 == 0:
            number //= 10
            decimals -= 1
        return number, decimals

    def keep_price(self, number: int, decimals: int, role: int) -> int:
        """Whether number / 10**decimals is a whole number of ticks; it is then in `values`."""
        while decimals > self.digits and number % 10 == 0:
            number //= 10
            decimals -= 1
        if decimals > self.digits:
            self.needed = decimals
            return 0
        scale = self.powers[self.digits - decimals]
        if number >= self.amount_max // scale:
            return 0
        number *= scale
        if self.coefficient != 1:
            if number % self.coefficient != 0:
                return 0
            number //= self.coefficient
        self.values[role] = number
        return 1

    def quantity(self, text: bytes, at: int) -> int:
        """Past a volume, which is then in `traded`: the float nearest to the decimal."""
        begin = at
        point = -1
        number = 0
        while True:
            digit = text[at]
            if 48 <= digit <= 57:
                number = number * 10 + (digit - ZERO) if at - begin < 18 else 0
            elif digit == 46 and point < 0:
                point = at
            else:
                break
            if at - begin > TEXT_BYTES_MAX:
                return -1
            at += 1
        decimals = at - point - 1 if point >= 0 else 0
        count = at - begin - (1 if point >= 0 else 0)
        if count < 1:
            return -1
        if at - begin <= 18 and number <= EXACT:
            # Both are exact, so their quotient is the nearest float (Clinger 1990).
            self.traded = number / self.tens[decimals]
        else:
            self.traded = float(text[begin:at])
        return at

    def stamp(self, text: bytes, at: int) -> int:
        """Past a whole epoch stamp, which is then in `values` as ms."""
        begin = at
        number = 0
        while 48 <= text[at] <= 57:
            if number > STAMP_MOST:
                return -1
            number = number * 10 + (text[at] - ZERO)
            at += 1
        if at == begin:
            return -1
        if self.over != 1:
            if number % self.over != 0:
                return -1
            number //= self.over
        elif number > STAMP_MS_MAX:
            return -1
        number *= self.times
        if self.offset_ms != 0 and number >= DAY_MS:
            return -1
        return at if self.keep_time(number + self.offset_ms) else -1

    def keep_time(self, at_ms: int) -> int:
        """Whether a time comes after the last one; it is then in `values`."""
        if at_ms >= STAMP_MS_MAX:
            return 0
        if (at_ms <= self.last_ms) if self.step > 0 else (at_ms >= self.last_ms):
            return 0
        self.values[_TIME] = at_ms
        return 1

    def date(self, text: bytes, at: int) -> int:
        """Past an ISO date, with or without a time of day in UTC."""
        if at + DATE_BYTES_MAX > self.stop:
            return -1
        year = self.two(text, at) * 100 + self.two(text, at + 2)
        if year < 1970 or text[at + 4] != 45:
            return -1
        month = self.two(text, at + 5)
        if not 1 <= month <= 12 or text[at + 7] != 45:
            return -1
        day = self.two(text, at + 8)
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        length = self.months[month] - self.months[month - 1]
        if not 1 <= day <= length + (1 if month == 2 and leap else 0):
            return -1
        days = (year - 1970) * 365 + (year - 1969) // 4 - (year - 1901) // 100
        days += (year - 1601) // 400 + self.months[month - 1] + day - 1
        days += 1 if leap and month > 2 else 0
        at += 10
        self.clock = 0
        if text[at] == 32 or text[at] == 84:
            at = self.time_of_day(text, at + 1)
            if at < 0:
                return -1
        return at if self.keep_time(days * DAY_MS + self.clock) else -1

    def time_of_day(self, text: bytes, at: int) -> int:
        """Past HH:MM[:SS[.fff]] and Z, +00:00 or UTC, which is then in `clock` as ms."""
        hour = self.two(text, at)
        if not 0 <= hour <= 23 or text[at + 2] != 58:
            return -1
        minute = self.two(text, at + 3)
        second = 0
        thousandths = 0
        at += 5
        if minute >= 0 and text[at] == 58:
            second = self.two(text, at + 1)
            at += 3
            if second >= 0 and text[at] == 46:
                thousandths = self.two(text, at + 1)
                if thousandths < 0 or not 48 <= text[at + 3] <= 57:
                    return -1
                thousandths = thousandths * 10 + (text[at + 3] - ZERO)
                at += 4
        if not 0 <= minute <= 59 or not 0 <= second <= 59:
            return -1
        if text[at] == 90:
            at += 1
        elif text[at] == 43:
            at = self.same(text, at, b"+00:00")
        elif text[at] == 32:
            at = self.same(text, at, b" UTC")
        self.clock = ((hour * 60 + minute) * 60 + second) * 1000 + thousandths
        return at

    def two(self, text: bytes, at: int) -> int:
        """A number of two digits; a large negative number when it is none."""
        if not 48 <= text[at] <= 57 or not 48 <= text[at + 1] <= 57:
            return -1_000_000
        return (text[at] - ZERO) * 10 + (text[at + 1] - ZERO)


def count_step(open_ms: Ints, step_ms: int, others: list[int]) -> int:
    """How many neighbours are `step_ms` apart; every other distance is put into `others`."""
    count = 0
    for i in range(1, len(open_ms)):
        distance = open_ms[i] - open_ms[i - 1]
        if distance == step_ms:
            count += 1
        else:
            others.append(distance)
    return count


def count_zeros(volume: Floats) -> int:
    """How many values are 0."""
    count = 0
    for i in range(len(volume)):
        if volume[i] == 0.0:
            count += 1
    return count


def scale_by(values: array[int], times: int) -> None:
    """Multiply every value in place; the caller knows that the largest one fits."""
    for i in range(len(values)):
        values[i] = values[i] * times

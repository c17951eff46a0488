"""Price texts -> int64 ticks, exactly and fast.

Lives here: the only reading of price and volume texts, by string surgery, never through a float.
Must not live here: what a row or a file means.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

from trader.core.money import AMOUNT_MAX

# A decimal of up to 15 significant digits survives a float; a longer text that is a hair off a
# shorter decimal shows the float's own error ("0.0016200000000000001").
SHADOW_DIGITS_MIN = 16
# How near a shorter decimal (or the tick) a shadow must be: 1e-9 of the price, and a small part of
# the last digit kept, else every long text would be "near" a ten-digit one.
SHADOW_RELATIVE = 10**9
SHADOW_OF_UNIT = 10**4
DIGITS_MAX = 40

# Prices repeat (a close is often the next open), so texts are remembered; bounded for memory.
_MEMO_MAX = 65_536
_SHADOW_FLOOR = 10 ** (SHADOW_DIGITS_MIN - 1)
_NUMBER = re.compile(r"(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_EMPTY = {"", "null", "none", "nan", "na", "n/a", "-"}


class BarTextError(ValueError):
    """A text that is no price, volume or time; the message says why, without the place."""


class OffTickError(BarTextError):
    """A price that is no whole number of ticks, or too many of them for int64."""


class FinerPriceError(Exception):
    """A price with more decimals than the scale in use has: the reader rescales and goes on."""

    def __init__(self, digits: int) -> None:
        super().__init__(digits)
        self.digits = digits


def clean(text: str) -> str:
    """A cell without surrounding spaces and quotes."""
    return text.strip().strip('"').strip()


def split_number(text: str) -> tuple[int, int]:
    """(n, decimals) with value n / 10**decimals; zero allowed.

    Raises BarTextError on what is empty, NaN, infinite, negative or no plain number.
    """
    head, _, tail = text.partition(".")
    digits = head + tail
    if digits.isascii() and digits.isdecimal() and len(digits) <= DIGITS_MAX:
        return int(digits), len(tail)
    return _split_odd(text)


def _split_odd(text: str) -> tuple[int, int]:
    text = clean(text)
    if text.lower().lstrip("+-") in _EMPTY:
        raise BarTextError(f"{text!r} is not a number")
    if text.startswith("-"):
        raise BarTextError(f"{text} is negative")
    found = _NUMBER.fullmatch(text)
    if found is None or not (found[1] or found[2]) or len(text) > DIGITS_MAX:
        hint = " (decimals need a point, thousands no sign)" if "," in text else ""
        raise BarTextError(f"{text[:40]!r} is not a number{hint}")
    digits, decimals = int(found[1] + (found[2] or "")), len(found[2] or "")
    decimals -= int(found[3] or 0)
    if digits and not -DIGITS_MAX <= decimals <= DIGITS_MAX:
        raise BarTextError(f"{text} is out of any market's range")
    return (digits, decimals) if decimals >= 0 else (digits * 10**-decimals, 0)


def shortened(digits: int, decimals: int) -> tuple[int, int, bool]:
    """(digits, decimals, was a shadow): the shorter decimal that a long text is a shadow of."""
    digits, decimals = _without_zeros(digits, decimals)
    if digits < _SHADOW_FLOOR or decimals == 0:
        return digits, decimals, False
    for dropped in range(len(str(digits)) - 1, 3, -1):
        unit = 10**dropped
        kept = (digits + unit // 2) // unit
        error = abs(digits - kept * unit)
        if error * SHADOW_RELATIVE <= digits and error * SHADOW_OF_UNIT <= unit:
            if dropped > decimals:
                return kept * 10 ** (dropped - decimals), 0, True
            return *_without_zeros(kept, decimals - dropped), True
    return digits, decimals, False


def _without_zeros(digits: int, decimals: int) -> tuple[int, int]:
    while decimals and digits % 10 == 0:
        digits, decimals = digits // 10, decimals - 1
    return digits, decimals


class DecimalTicks(dict[str, int]):
    """Texts -> ticks of 10**-digits, where `digits` grows to what the texts need.

    Subscript it with a text. Raises FinerPriceError when the text needs more digits, BarTextError
    when it is no price above 0. `snapped` counts cells that were float shadows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.digits = 0
        self.snapped = 0
        self._times = [1]

    @property
    def tick(self) -> Decimal:
        """What one tick is worth."""
        return Decimal((0, (1,), -self.digits))

    def grow(self, digits: int) -> None:
        """Use ticks of 10**-digits from now on."""
        self.clear()
        self.digits = digits
        self._times = [10 ** (digits - decimals) for decimals in range(digits + 1)]

    def __missing__(self, text: str) -> int:
        """Read a text that is not remembered."""
        # The usual text in as few steps as can be; whatever is odd about it takes the long way.
        head, _, tail = text.partition(".")
        digits = head + tail
        if (
            len(digits) < SHADOW_DIGITS_MIN
            and len(tail) <= self.digits
            and digits.isdecimal()
            and digits.isascii()
        ):
            ticks = int(digits) * self._times[len(tail)]
            if 0 < ticks < AMOUNT_MAX:
                if len(self) >= _MEMO_MAX:
                    self.clear()
                self[text] = ticks
                return ticks
        return self._read(text)

    def _read(self, text: str) -> int:
        number, decimals, shadow = shortened(*split_number(text))
        if decimals > self.digits:
            raise FinerPriceError(decimals)
        ticks = _checked(number * 10 ** (self.digits - decimals), text, self.tick)
        # A shadow is not remembered, so that each one is counted.
        self.snapped += shadow
        return ticks


class FixedTicks(dict[str, int]):
    """Texts -> ticks of a given tick, > 0. Subscript it with a text.

    Raises OffTickError when the price is no whole number of ticks, BarTextError when the text is
    no price above 0. With `snap`, a text within 1e-9 (and a thousandth of a tick) of a tick is
    taken for it and counted in `snapped`.
    """

    def __init__(self, tick: Decimal, *, snap: bool = False) -> None:
        super().__init__()
        if not (tick.is_finite() and tick > 0):
            raise ValueError(f"a tick must be above 0, not {tick}")
        self.tick = tick
        self.snap = snap
        self.snapped = 0
        self._num, self._den = tick.as_integer_ratio()

    def __missing__(self, text: str) -> int:
        """Read a text that is not remembered."""
        number, decimals = split_number(text)
        over, under = number * self._den, 10**decimals * self._num
        ticks, rest = divmod(over, under)
        if rest == 0:
            ticks = _checked(ticks, text, self.tick)
            if len(self) >= _MEMO_MAX:
                self.clear()
            self[text] = ticks
            return ticks
        ticks += rest * 2 >= under
        error = abs(over - ticks * under)
        near = error * SHADOW_RELATIVE <= over and error * 1000 <= under
        if not (self.snap and near):
            raise OffTickError(f"price {clean(text)} is not a multiple of the tick {self.tick:f}")
        self.snapped += 1
        return _checked(ticks, text, self.tick)


def ticks_of(text: str, tick: Decimal) -> int:
    """A price text as ticks; OffTickError off the tick grid, BarTextError when it is no price."""
    return _fixed(tick)[text]


@lru_cache(maxsize=1_024)
def _fixed(tick: Decimal) -> FixedTicks:
    return FixedTicks(tick)


def plain_volume(text: str) -> str:
    """A volume text in its one plain form ("12.50" -> "12.5"), exact; BarTextError when none."""
    number, decimals = split_number(text)
    if decimals == 0:
        return str(number)
    whole = str(number).rjust(decimals + 1, "0")
    plain = f"{whole[:-decimals]}.{whole[-decimals:]}"
    return plain.rstrip("0").rstrip(".")


def _checked(ticks: int, text: str, tick: Decimal) -> int:
    if ticks == 0:
        raise BarTextError(f"price {clean(text)} is zero")
    if ticks >= AMOUNT_MAX:
        raise OffTickError(f"price {clean(text)} does not fit in ticks of {tick:f}")
    return ticks

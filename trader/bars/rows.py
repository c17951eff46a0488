"""Blocks of lines -> columns of bars: the usual line compiled, every other one the general way.

Lives here: `RowReader`, which takes the blocks of one part. Both ways give the same columns; what
the compiled one does not understand, and every fault, goes to the general one, whose refusals name
the line. Must not live here: what a refusal says (`explain`), files.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice, repeat
from math import isfinite
from operator import eq, gt, lt

from trader.bars.explain import TRUE, Reading, refuse_rows, refuse_scale
from trader.bars.header import Header
from trader.bars.source import Part
from trader.bars.stamps import STAMP_MS_MAX, StampColumn
from trader.bars.ticks import BarTextError, DecimalTicks, FinerPriceError, FixedTicks, clean
from trader.build import CoreForm, core_form
from trader.core.money import AMOUNT_MAX
from trader.core.row_text import CLOSED, OPEN, SYMBOL, TIME, VOLUME, RowText, scale_by
from trader.errors import DataError

BLANK_LINES_MAX = 1_000_000
_ROOM = 4_096
# Bytes given to the general way when the compiled one stops: few at first, more each time.
_ODD_BYTES_MIN = 1 << 9
_FAST_DIGITS_MAX = 18


class _ScaleError(Exception):
    """Prices so fine and so high that no scale holds both in int64."""

    def __init__(self, digits: int, highest: str) -> None:
        super().__init__(digits, highest)
        self.digits = digits
        self.highest = highest


class RowReader:
    """Columns of one part; `take` its blocks in order, then `finish`.

    Attributes:
        open_ms, prices, volume: the bars so far, in the part's own order; oldest first after
            `finish`.
        named: instruments that a column names. newest_first: how the part is ordered.
    """

    def __init__(
        self, part: Part, header: Header, tick: Decimal | None, *, fast: bool | None = None
    ) -> None:
        """`fast`: whether the usual line is read by `core.row_text`; by default where the core is
        compiled, because interpreted the general way is the faster one."""
        self.part = part
        self.header = header
        self.stamps = StampColumn(header.time_name, part.day_ms)
        self.ticks = DecimalTicks() if tick is None else FixedTicks(tick, snap=True)
        self.open_ms: array[int] = array("q")
        self.prices: tuple[array[int], ...] = tuple(array("q") for _ in range(4))
        self.volume: array[float] = array("d")
        self.named: set[str] = set()
        self.newest_first = False
        self._lines = header.lines
        self._blank: list[int] = []
        self._before = ""
        self._odd_bytes = _ODD_BYTES_MIN
        self._fast: _Fast | None = None
        self._may_be_fast = core_form() is CoreForm.COMPILED if fast is None else fast

    def line_of(self, index: int) -> int:
        """Number of the line (or row) of a bar."""
        if self.newest_first:
            index = len(self.open_ms) - 1 - index
        first = self.header.lines + 1
        line = index + first
        while (shifted := index + first + bisect_right(self._blank, line)) != line:
            line = shifted
        return line

    def take(self, block: bytes) -> None:
        """Append the bars of whole lines; DataError names the first one at fault."""
        at = 0
        while at < len(block):
            if self._fast is not None:
                at = self._take_fast(self._fast, block, at)
            if at < len(block):
                cut = block.find(b"\n", min(at + self._odd_bytes, len(block)) - 1) + 1
                self._take_lines(block[at:cut], is_last=cut == len(block))
                self._odd_bytes = min(2 * self._odd_bytes, 1 << 20)
                at = cut

    def finish(self) -> None:
        """Turn the columns oldest first."""
        if self.newest_first:
            for column in (self.open_ms, *self.prices, self.volume):
                column.reverse()

    def _take_fast(self, fast: _Fast, block: bytes, at: int) -> int:
        """Where the first line begins that the compiled way does not read."""
        text = fast.text
        while at < len(block):
            text.digits = fast.digits_of(self.ticks)
            count = text.read(block, at, fast.prices, fast.volume)
            at = text.at
            if count:
                self._lines += count
                self._keep(fast, count)
                self.ticks.snapped += text.snapped
                text.snapped = 0
                self._before = block[block.rfind(b"\n", 0, at - 1) + 1 : at - 1].decode()
                if count > _ROOM // 2:
                    self._odd_bytes = _ODD_BYTES_MIN
            if text.needed and isinstance(self.ticks, DecimalTicks):
                if text.needed > _FAST_DIGITS_MAX or not self._may_grow(text.needed):
                    break
                self._grow(text.needed)
            elif count < _ROOM:
                break
        return at

    def _keep(self, fast: _Fast, count: int) -> None:
        columns = (self.open_ms, *self.prices)
        for column, filled in zip(columns, fast.prices, strict=True):
            column.frombytes(memoryview(filled)[:count].cast("B"))
        self.volume.frombytes(memoryview(fast.volume)[:count].cast("B"))

    def _take_lines(self, chunk: bytes, *, is_last: bool) -> None:
        """The general way, for whole lines. `is_last`: they end the block."""
        try:
            lines = chunk.decode().split("\n")
        except UnicodeError:
            raise DataError(
                f"bar file {self.part.where} is not UTF-8 or UTF-16 text",
                "give a CSV or CSV.gz file, saved as UTF-8",
            ) from None
        lines.pop()
        full = lines
        if "" in lines:
            self._blank += [self._lines + n for n, line in enumerate(lines, 1) if not line]
            full = [line for line in lines if line]
            if len(self._blank) > BLANK_LINES_MAX:
                raise DataError(
                    f"bar file {self.part.where} has over a million empty lines",
                    "it is damaged, or no bar file",
                )
        if full and not self.open_ms:
            self._look_at_order(full)
        try:
            if full:
                self._take(full)
        except (_ScaleError, ValueError) as error:
            numbered = [(self._lines + n, line) for n, line in enumerate(lines, 1) if line]
            self._refuse(numbered, error, cut=is_last and not self.part.ended)
        self._lines += len(lines)
        self._before = full[-1] if full else self._before
        self._prepare()

    def _refuse(self, lines: list[tuple[int, str]], error: Exception, *, cut: bool) -> None:
        reading = Reading(
            self.part, self.header, self.stamps, self.ticks, newest_first=self.newest_first
        )
        if isinstance(error, _ScaleError):
            refuse_scale(reading, lines, error.digits, error.highest)
        last_ms = self.open_ms[-1] if self.open_ms else None
        refuse_rows(reading, lines, last_ms=last_ms, before=self._before, cut=cut)
        raise AssertionError(f"{self.part.where}: no line explains: {error}") from error

    def _look_at_order(self, lines: list[str]) -> None:
        """Newest first when the second bar is before the first."""
        cells = (line.split(self.header.delimiter) for line in lines[:2])
        try:
            told = [self.stamps.read_one(row[self.header.time]) for row in cells]
        except (BarTextError, IndexError):
            return
        self.newest_first = len(told) == 2 and told[1] < told[0]

    def _take(self, lines: list[str]) -> None:
        delimiter, width = self.header.delimiter, self.header.width
        if set(map(str.count, lines, repeat(delimiter))) != {width - 1}:
            raise ValueError("columns")
        # One flat list: a list per line would cost as much as all the rest.
        cells = delimiter.join(lines).split(delimiter)
        columns = [cells[index::width] for index in range(width)]
        opens = self.stamps.read(columns[self.header.time])
        self._check_times(opens)
        closed = self.header.closed
        if closed is not None and not {clean(cell).lower() for cell in columns[closed]} <= TRUE:
            raise ValueError("closed")
        volume = _volumes(columns[self.header.values[4]])
        prices = self._ticks([columns[index] for index in self.header.values[:4]])
        opened, high, low, close = prices
        if not all(map(eq, map(max, opened, high, low, close), high)):
            raise ValueError("high")
        if not all(map(eq, map(min, opened, high, low, close), low)):
            raise ValueError("low")
        if self.header.symbol is not None:
            self.named.update(map(clean, set(columns[self.header.symbol])))
        self.open_ms.extend(opens)
        self.volume.extend(volume)
        for column, ticks in zip(self.prices, prices, strict=True):
            column.extend(ticks)

    def _check_times(self, opens: list[int]) -> None:
        """ValueError unless they go on from the last one, in the part's direction."""
        if min(opens) < 0 or max(opens) >= STAMP_MS_MAX:
            raise ValueError("time")
        in_order = gt if self.newest_first else lt
        if self.open_ms and not in_order(self.open_ms[-1], opens[0]):
            raise ValueError("time")
        if not all(map(in_order, opens, islice(opens, 1, None))):
            raise ValueError("order")

    def _ticks(self, columns: list[list[str]]) -> list[list[int]]:
        snapped = self.ticks.snapped
        while True:
            try:
                return [list(map(self.ticks.__getitem__, cells)) for cells in columns]
            except FinerPriceError as finer:
                self._grow(finer.digits)
                self.ticks.snapped = snapped

    def _may_grow(self, digits: int) -> bool:
        assert isinstance(self.ticks, DecimalTicks)
        return max(self.prices[1], default=0) * 10 ** (digits - self.ticks.digits) < AMOUNT_MAX

    def _grow(self, digits: int) -> None:
        assert isinstance(self.ticks, DecimalTicks)
        if not self._may_grow(digits):
            raise _ScaleError(digits, f"{max(self.prices[1]) * self.ticks.tick:f}")
        times = 10 ** (digits - self.ticks.digits)
        self.ticks.grow(digits)
        for column in self.prices:
            scale_by(column, times)

    def _prepare(self) -> None:
        """The compiled way goes on from here, where there is one and it can."""
        if not self._may_be_fast or not self.open_ms or len(self.named) > 1:
            self._fast = None
            return
        if self._fast is None and self.stamps.unit != "compact":
            self._fast = fast_of(self.header, self.stamps, self.ticks, next(iter(self.named), ""))
        if self._fast is not None:
            self._fast.text.last_ms = self.open_ms[-1]
            self._fast.text.step = -1 if self.newest_first else 1


class _Fast:
    """The compiled reader of one part, and where it puts rows."""

    def __init__(self, text: RowText, digits: int) -> None:
        self.text = text
        self.prices = tuple(array("q", bytes(8 * _ROOM)) for _ in range(5))
        self.volume = array("d", bytes(8 * _ROOM))
        self._digits = digits

    def digits_of(self, ticks: DecimalTicks | FixedTicks) -> int:
        """Decimals of a tick's last digit."""
        return ticks.digits if isinstance(ticks, DecimalTicks) else self._digits


def fast_of(
    header: Header, stamps: StampColumn, ticks: DecimalTicks | FixedTicks, symbol: str
) -> _Fast | None:
    """The compiled reader of lines with this header; None when it could not read them."""
    roles = array("q", bytes(8 * header.width))
    roles[header.time] = TIME
    for role, index in zip(range(OPEN, VOLUME + 1), header.values, strict=True):
        roles[index] = role
    if header.symbol is not None:
        roles[header.symbol] = SYMBOL
    if header.closed is not None:
        roles[header.closed] = CLOSED
    text = RowText(roles, ord(header.delimiter), symbol.encode(), b"1")
    digits = 0
    if isinstance(ticks, FixedTicks):
        _, coefficient, exponent = ticks.tick.normalize().as_tuple()
        assert isinstance(exponent, int)
        digits = max(0, -exponent)
        text.coefficient = int("".join(map(str, coefficient))) * 10 ** max(0, exponent)
        if text.coefficient >= AMOUNT_MAX:
            return None
    elif ticks.digits > _FAST_DIGITS_MAX:
        return None
    else:
        text.snaps = 1
    if digits > _FAST_DIGITS_MAX:
        return None
    text.times, text.over = stamps.scale
    text.offset_ms = stamps.day_ms or 0
    return _Fast(text, digits)


def _volumes(cells: Sequence[str]) -> list[float]:
    if "_" in "".join(cells):
        raise ValueError("volume")
    try:
        values = list(map(float, cells))
    except ValueError:
        values = [float(clean(cell)) for cell in cells]
    if min(values) < 0 or not all(map(isfinite, values)):
        raise ValueError("volume")
    return values

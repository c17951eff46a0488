"""Which line of a bar file is at fault, and why.

Lives here: the slow second look at a block of lines that did not read, ending in one sentence with
the line's number. Must not live here: reading what is sound (`load`).
"""

from __future__ import annotations

from trader.bars.header import Header
from trader.bars.layouts import order_that_fits
from trader.bars.source import Part
from trader.bars.stamps import STAMP_MS_MAX, StampColumn, utc_text
from trader.bars.ticks import (
    BarTextError,
    DecimalTicks,
    FinerPriceError,
    FixedTicks,
    OffTickError,
    clean,
    plain_volume,
    shortened,
    split_number,
)
from trader.errors import DataError
from trader.records import dataclass

TRUE = frozenset(("1", "true", "t", "yes"))
_PRICES = ("open", "high", "low", "close")
_REPAIR = "repair or remove the line, or fetch the bars again"
_TICK = "name the tick that the file has, or round its prices"
_CUT = "the file ends inside this line, it is half-written: fetch or copy it again"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is being read when a fault turns up."""

    part: Part
    header: Header
    stamps: StampColumn
    ticks: DecimalTicks | FixedTicks
    newest_first: bool = False


def refuse_rows(
    reading: Reading,
    lines: list[tuple[int, str]],
    *,
    last_ms: int | None,
    before: str,
    cut: bool,
) -> None:
    """Raise DataError for the first faulty line; return when each line alone and in order is sound.

    Args:
        lines: (line number, text).
        last_ms, before: time and text of the last row that was read well; None for none.
        cut: the last of these lines is the file's last, without a line break.
    """
    header = reading.header
    last_line = before
    for number, line in lines:
        where = reading.part.place(number)
        repair = _CUT if cut and number == lines[-1][0] else _REPAIR
        cells = line.split(header.delimiter)
        try:
            at_ms = _time_of(header, reading.stamps, cells)
            _check_values(header, reading.ticks, cells)
        except OffTickError as error:
            raise DataError(f"{where}: {error}", _TICK) from None
        except _SwappedError as error:
            raise DataError(f"{where}: {error}", error.hint) from None
        except BarTextError as error:
            raise DataError(f"{where}: {error}", repair) from None
        if last_ms is not None and (at_ms >= last_ms if reading.newest_first else at_ms <= last_ms):
            raise _order(where, at_ms, last_ms, same=line == last_line)
        last_ms, last_line = at_ms, line


def refuse_scale(reading: Reading, lines: list[tuple[int, str]], digits: int, highest: str) -> None:
    """Raise DataError for the first price with `digits` decimals: too fine beside `highest`."""
    for number, line in lines:
        cells = line.split(reading.header.delimiter)
        for index in reading.header.values[:4]:
            count, decimals, _ = shortened(*split_number(cells[index]))
            if decimals >= digits and count:
                price = clean(cells[index])
                raise DataError(
                    f"{reading.part.place(number)}: price {price} has {decimals} decimals, and "
                    f"beside prices as high as {highest} they do not fit in 64 bits",
                    "round the file's prices, or name the tick",
                )


class _SwappedError(BarTextError):
    """An impossible bar that would be possible in another known order of columns."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def _order(where: str, at_ms: int, last_ms: int, *, same: bool) -> DataError:
    if at_ms != last_ms:
        ran = "" if at_ms < last_ms else ", in a file that runs newest first"
        return DataError(
            f"{where}: the bar of {utc_text(at_ms)} stands after that of {utc_text(last_ms)}{ran}",
            "sort the file oldest first and remove repeated pages, or fetch the bars again",
        )
    kind = "the same bar" if same else "another bar"
    return DataError(
        f"{where}: the bar of {utc_text(at_ms)} is there twice, the line before is {kind}",
        "remove one of the two, or fetch the bars again",
    )


def _time_of(header: Header, stamps: StampColumn, cells: list[str]) -> int:
    if len(cells) != header.width:
        told = "the header has" if header.layout == "header" else "there should be"
        raise BarTextError(f"{len(cells)} columns where {told} {header.width}")
    if header.closed is not None and clean(cells[header.closed]).lower() not in TRUE:
        raise BarTextError("the bar had not ended when it was told (it is not marked as closed)")
    at_ms = stamps.read_one(cells[header.time])
    if not 0 <= at_ms < STAMP_MS_MAX:
        raise BarTextError(f"time {clean(cells[header.time])} is not after 1970")
    return at_ms


def _check_values(header: Header, ticks: DecimalTicks | FixedTicks, cells: list[str]) -> None:
    texts = [cells[index] for index in header.values]
    opened, high, low, close = _row_ticks(ticks, texts[:4])
    try:
        plain_volume(texts[4])
    except BarTextError as error:
        raise BarTextError(f"volume: {error}") from None
    if low <= min(opened, close) and high >= max(opened, close):
        return
    shown = " ".join(f"{name} {clean(text)}" for name, text in zip(_PRICES, texts[:4], strict=True))
    other = order_that_fits((opened, high, low, close))
    if other is None:
        raise BarTextError(f"impossible bar: {shown}")
    raise _SwappedError(
        f"impossible bar: {shown}",
        f"{_REPAIR}; or, if {other.owner} gave it and the columns are in the order "
        f"{other.columns}, say --columns {other.columns} (trader data import)",
    )


def _row_ticks(ticks: DecimalTicks | FixedTicks, texts: list[str]) -> list[int]:
    while True:
        try:
            return [_price(ticks, name, text) for name, text in zip(_PRICES, texts, strict=True)]
        except FinerPriceError as finer:
            # Only the refusal's own comparison needs the finer scale: the file is not read on.
            assert isinstance(ticks, DecimalTicks)
            ticks.grow(finer.digits)


def _price(ticks: DecimalTicks | FixedTicks, name: str, text: str) -> int:
    try:
        return ticks[text]
    except BarTextError as error:
        raise type(error)(f"{name}: {error}") from None

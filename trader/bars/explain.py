"""Which line of a bar file is at fault, and why.

Lives here: the slow second look at a block of lines that did not read, ending in one sentence with
the line's number. Must not live here: reading what is sound (`load`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trader.bars.dialect import Header
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

_PRICES = ("open", "high", "low", "close")
_REPAIR = "repair or remove the line, or fetch the bars again"
_TICK = "name the tick that the file has, or round its prices"
_CUT = "the file ends inside this line, it is half-written: fetch or copy it again"


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is being read when a fault turns up."""

    path: Path
    header: Header
    stamps: StampColumn
    ticks: DecimalTicks | FixedTicks


def refuse_rows(reading: Reading, lines: list[tuple[int, str]], *, before: str, cut: bool) -> None:
    """Raise DataError for the first faulty line; return when each line alone and in order is sound.

    Args:
        lines: (line number, text). before: the last line that was read well, "" for none.
        cut: these lines are the file's last, without a line break.
    """
    where, header = reading.path, reading.header
    repair = _CUT if cut else _REPAIR
    last_ms, last_line = -1, before
    if before:
        last_ms = reading.stamps.read_one(before.split(header.delimiter)[header.time])
    for number, line in lines:
        cells = line.split(header.delimiter)
        try:
            at_ms = _time_of(header, reading.stamps, cells)
            _check_values(header, reading.ticks, cells)
        except OffTickError as error:
            raise DataError(f"{where}:{number}: {error}", _TICK) from None
        except _SwappedError as error:
            raise DataError(f"{where}:{number}: {error}", _SWAPPED) from None
        except BarTextError as error:
            raise DataError(f"{where}:{number}: {error}", repair) from None
        if at_ms <= last_ms:
            raise _order(f"{where}:{number}", at_ms, last_ms, same=line == last_line)
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
                    f"{reading.path}:{number}: price {price} has {decimals} decimals, and "
                    f"beside prices as high as {highest} they do not fit in 64 bits",
                    "round the file's prices, or name the tick",
                )


class _SwappedError(BarTextError):
    """An impossible bar that would be possible in Bitfinex's order of columns."""


_SWAPPED = "the columns may be in the order open,close,high,low, as Bitfinex's API has them"


def _order(where: str, at_ms: int, last_ms: int, *, same: bool) -> DataError:
    if at_ms < last_ms:
        return DataError(
            f"{where}: the bar of {utc_text(at_ms)} stands after that of {utc_text(last_ms)}",
            "sort the file oldest first and remove repeated pages, or fetch the bars again",
        )
    kind = "the same bar" if same else "another bar"
    return DataError(
        f"{where}: the bar of {utc_text(at_ms)} is there twice, the line before is {kind}",
        "remove one of the two, or fetch the bars again",
    )


def _time_of(header: Header, stamps: StampColumn, cells: list[str]) -> int:
    if len(cells) != header.width:
        raise BarTextError(f"{len(cells)} columns where the header has {header.width}")
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
    # Read as open, close, high, low the same four cells would be a bar.
    swapped = close <= min(opened, high) and low >= max(opened, high)
    raise (_SwappedError if swapped else BarTextError)(f"impossible bar: {shown}")


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

"""Which column of a bar file is which, told by names.

Lives here: the names that exchanges and tools give to the columns of a bar, and the refusal of
headers that could be read in two ways. Must not live here: files without names (`layouts`), and
the meaning of the cells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from trader.bars.stamps import TIME_COLUMNS, StampColumn
from trader.bars.ticks import BarTextError, clean
from trader.errors import DataError, UsageError
from trader.records import dataclass

VALUE_COLUMNS = ("open", "high", "low", "close", "volume")
EXPECTED = f"date|timestamp|timestamp_ms|open_time and {', '.join(VALUE_COLUMNS)}"
COLUMNS_HINT = "--columns time,open,high,low,close,volume, in the file's own order"
_ALIASES = {
    "open": ("o", "open_price", "openprice", "price_open"),
    "high": ("h", "high_price", "highprice", "price_high"),
    "low": ("l", "low_price", "lowprice", "price_low"),
    "close": ("c", "close_price", "closeprice", "price_close"),
    "volume": (
        "v", "vol", "base_volume", "basevolume", "volume_base", "volumefrom", "volume_traded",
        "base_asset_volume",
    ),
}  # fmt: skip
# Columns of the large exchanges' own files that change nothing about a bar.
HARMLESS = frozenset(
    (
        "close_time", "closetime", "time_period_end", "time_close", "end", "end_time",
        "quote_volume", "quote_asset_volume", "quotevolume", "quote_av", "volume_quote",
        "volumeto", "trades", "trade_count", "tradecount", "trades_count", "number_of_trades",
        "count", "n", "taker_buy_volume", "taker_buy_quote_volume", "taker_buy_base_volume",
        "taker_buy_base_asset_volume", "taker_buy_quote_asset_volume", "tb_base_av",
        "tb_quote_av", "ignore", "vwap", "vw", "weighted_price", "turnover", "vol_ccy",
        "vol_quote", "volccy", "volccyquote", "volume_currency", "interval",
    )
)  # fmt: skip
_SYMBOL_COLUMNS = ("symbol", "pair", "ticker", "instrument_name", "instrument", "inst_id", "market")
_CLOSED_COLUMNS = ("confirm", "confirmed", "closed", "is_closed", "window_closed")
DELIMITERS = (",", ";", "\t", "|")
# How many lines are held against each other when a file has two time columns.
_COMPARED_LINES_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Header:
    """Which column is which.

    Attributes:
        time_name: name of the time column; time: its index.
        values: indexes of open, high, low, close, volume.
        symbol: index of a column that names the instrument, or None; closed: of one that says
            whether the bar had ended.
        width: number of columns. ignored: names of columns that are not known to be harmless.
        lines: how many lines stand before the first bar.
        layout: what told the columns: "header", "columns" (the caller), or whose layout it is.
    """

    delimiter: str
    time_name: str
    time: int
    values: tuple[int, int, int, int, int]
    symbol: int | None
    width: int
    ignored: tuple[str, ...]
    closed: int | None = None
    lines: int = 1
    layout: str = "header"


def names_of(line: str, delimiter: str) -> list[str]:
    """The cells of a header line in one form: lower case, words joined by one underscore."""
    return [plain_name(cell) for cell in line.split(delimiter)]


def plain_name(cell: str) -> str:
    """A column's name in lower case, words joined by one underscore."""
    return re.sub(r"[^a-z0-9]+", "_", clean(cell).lower()).strip("_")


def known_names(names: Sequence[str]) -> int:
    """How many names are those of a time or a value; 0: this is no header."""
    values = {name for column in VALUE_COLUMNS for name in (column, *_ALIASES[column])}
    found = [name for name in names if name in TIME_COLUMNS or name in values]
    # One letter alone (`t`, `c`) may be anything; four of them are a bar.
    return len(found) if len(found) >= 4 or any(len(name) > 1 for name in found) else 0


def header_of(
    where: str, names: Sequence[str], lines: Sequence[str], delimiter: str, base: str = ""
) -> Header:
    """Columns by their names (in the form of `plain_name`); DataError when they are not there.

    Args:
        where: what a refusal begins with. lines: the first lines of bars.
        base: the instrument's base coin where it is known: `volume_btc` then is the volume.
    """
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise DataError(
            f"{where}: column {doubled[0]} is there {names.count(doubled[0])} times",
            "keep the one that holds the bars",
        )
    values = [_value_index(where, names, column, base) for column in VALUE_COLUMNS]
    times = [name for name in names if name in TIME_COLUMNS]
    missing = [name for name, index in zip(VALUE_COLUMNS, values, strict=True) if index < 0]
    if not times:
        missing.insert(0, "a time column")
    if missing:
        raise _missing(where, names, missing)
    if len(times) > 1:
        times = _one_time(where, names, times, lines, delimiter)
    symbols = [index for index, name in enumerate(names) if name in _SYMBOL_COLUMNS]
    closed = [index for index, name in enumerate(names) if name in _CLOSED_COLUMNS]
    known = {times[0], *HARMLESS, *_SYMBOL_COLUMNS, *_CLOSED_COLUMNS}
    known |= {names[index] for index in values}
    opened, high, low, close, volume = values
    return Header(
        delimiter,
        times[0],
        names.index(times[0]),
        (opened, high, low, close, volume),
        symbols[0] if symbols else None,
        len(names),
        tuple(name for name in names if name not in known),
        closed[0] if closed else None,
    )


def named_columns(where: str, told: str, width: int, delimiter: str) -> Header:
    """Columns as the caller tells them (`time,open,close,high,low,volume`).

    Raises UsageError when a column is missing or there are more or fewer than the file has.
    """
    names = [plain_name(name) for name in told.split(",")]
    if len(names) != width:
        raise UsageError(
            f"--columns names {len(names)} columns, {where} has {width}",
            "name every column; one that is not needed may have any other name",
        )
    # Names that are not needed may be repeated (`x`).
    unique = [name if names.count(name) == 1 else f"{name}#{at}" for at, name in enumerate(names)]
    try:
        header = header_of(where, unique, (), delimiter)
    except DataError as error:
        raise UsageError(f"--columns: {error.what}", COLUMNS_HINT) from None
    return header


def _value_index(where: str, names: Sequence[str], column: str, base: str) -> int:
    """The column's index; -1 when there is none."""
    if column in names:
        return names.index(column)
    found = [name for name in names if name in _ALIASES[column]]
    if column == "volume" and not found and base:
        found = [name for name in names if name == f"volume_{base.lower()}"]
    if len(found) > 1:
        raise DataError(
            f"{where}: the {column} could be column {' or column '.join(found)}",
            "keep one of them",
        )
    return names.index(found[0]) if found else -1


def _missing(where: str, names: Sequence[str], missing: list[str]) -> DataError:
    found = ", ".join(name or "(no name)" for name in names[:12])
    alike = [name for name in names if "volume" in missing and name.startswith("volume_")]
    could = f" (the volume in base coins could be {' or '.join(alike)}: rename it)" if alike else ""
    return DataError(
        f"{where}: the header lacks {', '.join(missing)}; it has {found}{could}",
        f"expected are {EXPECTED}",
    )


def _one_time(
    where: str, names: Sequence[str], times: list[str], lines: Sequence[str], delimiter: str
) -> list[str]:
    """The time columns, the one to read first, if they say the same in every line looked at."""
    told: dict[str, list[int]] = {}
    for name in times:
        stamps, index = StampColumn(name), names.index(name)
        try:
            told[name] = [
                stamps.read_one(line.split(delimiter)[index])
                for line in lines[:_COMPARED_LINES_MAX]
                if line
            ]
        except (BarTextError, IndexError):
            continue
    agreeing = list(told.values())
    if agreeing and agreeing[0] and all(one == agreeing[0] for one in agreeing):
        return [*told, *(name for name in times if name not in told)]
    raise DataError(
        f"{where}: the time could be column {' or column '.join(times)}",
        "keep one of them",
    )

"""Bar files without a header: whose layout it is, proven by the numbers or refused.

Lives here: the column orders in which exchanges give their bars without names, and what must hold
in each of them. A layout is taken when it is the only reading in which every line looked at is a
bar; an order of six columns that no further column vouches for is taken only when it is the usual
one. Must not live here: names of columns (`header`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trader.bars.header import DELIMITERS, EXPECTED, Header
from trader.bars.ticks import BarTextError, clean, split_number
from trader.errors import DataError
from trader.records import dataclass

USUAL = "time,open,high,low,close,volume"
_LINES_MAX = 20_000
_LINES_ENOUGH = 200
# A quote volume is a sum of rounded products.
_ROUNDING = Decimal("0.001")
_DUST = Decimal("0.00000002")
_TRUTH = ("0", "1", "true", "false")


@dataclass(frozen=True, slots=True)
class Layout:
    """Whose files have which columns. `columns`: names joined by commas."""

    owner: str
    columns: str


# As the exchanges' own documents give them; what is alike but for unread columns is one reading.
LAYOUTS = (
    Layout("the usual order", USUAL),
    Layout("Bitfinex's API", "time,open,close,high,low,volume"),
    Layout("Coinbase's API", "time,low,high,open,close,volume"),
    Layout("Gate's files", "time,volume,close,high,low,open"),
    Layout("Bybit", "time,open,high,low,close,volume,quote_volume"),
    Layout("Kraken", "time,open,high,low,close,volume,trades"),
    Layout("KuCoin", "time,open,close,high,low,volume,quote_volume"),
    Layout("Kraken's API", "time,open,high,low,close,vwap,volume,trades"),
    Layout("MEXC", "time,open,high,low,close,volume,close_time,quote_volume"),
    Layout("Gate's API", "time,quote_volume,close,high,low,open,volume,closed"),
    Layout("OKX", "time,open,high,low,close,volume,quote_volume,quote_volume,closed"),
    Layout("Bitget", "time,open,high,low,close,volume,x,quote_volume"),
    Layout(
        "Binance",
        "time,open,high,low,close,volume,close_time,quote_volume,trades,taker_volume,taker_quote,x",
    ),
)  # fmt: skip
_NEEDED = ("time", "open", "high", "low", "close", "volume")


def layout_of(where: str, lines: Sequence[str], hint_row: str = "line 1") -> Header:
    """The columns of lines that have no header; DataError when they cannot be told.

    Args:
        where: what a refusal begins with. lines: the first lines, bars all of them.
        hint_row: what the header would be put into.
    """
    delimiter = max(DELIMITERS, key=lines[0].count)
    width = lines[0].count(delimiter) + 1
    what = f"{where}: the header line is not there, line 1 is a bar already"
    name_them = (
        f"{hint_row} must name the columns ({EXPECTED}), or say --columns (trader data import)"
    )
    fitting = _fitting(lines, delimiter, [x for x in LAYOUTS if x.columns.count(",") == width - 1])
    readings = {_reading(layout): layout for layout in reversed(fitting)}
    if not readings:
        why = "too few columns for a bar" if width < 6 else "no known order makes each line a bar"
        raise DataError(f"{what}: {why}", f"{name_them}, such as {USUAL}")
    if len(readings) > 1:
        could = " or ".join(f"{x.columns} ({x.owner})" for x in fitting[:2])
        raise DataError(f"{what} that could be {could}", f"{name_them} with the right one")
    (layout,) = readings.values()
    if width == 6 and layout.columns != USUAL:
        raise DataError(
            f"{what}, and in the usual order {USUAL} it is impossible",
            f"the rows can be read as {layout.columns}, as {layout.owner} orders them; if they "
            f"are, say --columns {layout.columns} (trader data import)",
        )
    return _header(layout, delimiter)


def order_that_fits(values: Sequence[int]) -> Layout | None:
    """Another known order of columns in which (open, high, low, close) as read would be a bar."""
    for layout in LAYOUTS[1:3]:
        names = layout.columns.split(",")[1:5]
        opened, high, low, close = (values[names.index(name)] for name in _NEEDED[1:5])
        if low <= min(opened, close) and high >= max(opened, close):
            return layout
    return None


def _header(layout: Layout, delimiter: str) -> Header:
    names = layout.columns.split(",")
    opened, high, low, close, volume = (names.index(name) for name in _NEEDED[1:])
    closed = names.index("closed") if "closed" in names else None
    return Header(
        delimiter, "time", names.index("time"), (opened, high, low, close, volume), None,
        len(names), (), closed, 0, layout.owner,
    )  # fmt: skip


def _reading(layout: Layout) -> tuple[int, ...]:
    names = layout.columns.split(",")
    return tuple(names.index(name) for name in _NEEDED)


def _fitting(lines: Sequence[str], delimiter: str, layouts: list[Layout]) -> list[Layout]:
    """The layouts in which every line looked at is a bar; lines without numbers do not count."""
    looked = 0
    for line in lines[:_LINES_MAX]:
        cells = [clean(cell) for cell in line.split(delimiter)]
        try:
            layouts = [
                x for x in layouts if len(cells) != x.columns.count(",") + 1 or _is(x, cells)
            ]
        except BarTextError:
            continue
        looked += 1
        if len({_reading(x) for x in layouts}) <= 1 and looked >= _LINES_ENOUGH:
            break
    return layouts if looked else []


def _is(layout: Layout, cells: list[str]) -> bool:
    row = dict(zip(layout.columns.split(","), cells, strict=True))
    if "closed" in row and row["closed"].lower() not in _TRUTH:
        return False
    if "trades" in row and not row["trades"].isdecimal():
        return False
    if "close_time" in row and not _later(row["time"], row["close_time"]):
        return False
    opened, high, low, close, volume = (_number(row[name]) for name in _NEEDED[1:])
    if low > min(opened, close) or high < max(opened, close) or low <= 0:
        return False
    if "vwap" in row and volume and not _within(_number(row["vwap"]), low, high):
        return False
    quotes = [
        _number(cell)
        for name, cell in zip(layout.columns.split(","), cells, strict=True)
        if name == "quote_volume"
    ]
    return all(_within(quote, low * volume, high * volume) for quote in quotes)


def _later(time: str, close_time: str) -> bool:
    return time.isdecimal() and close_time.isdecimal() and int(close_time) > int(time)


def _within(value: Decimal, low: Decimal, high: Decimal) -> bool:
    slack = _DUST * (1 + high)
    return low * (1 - _ROUNDING) - slack <= value <= high * (1 + _ROUNDING) + slack


def _number(text: str) -> Decimal:
    number, decimals = split_number(text)
    return Decimal(number).scaleb(-decimals)

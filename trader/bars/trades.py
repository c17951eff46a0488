"""Single trades of a market -> bars, exactly.

Lives here: reading a CSV of trades (time, price, amount) and putting its rows into bars on the UTC
grid: first, highest, lowest and last price, and the sum of the amounts, which is exact until it
becomes the one float64 of a bar's volume. A stretch without a trade has no bar. Must not live here:
files of bars, order books.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import chain
from pathlib import Path

from trader.bars.source import parts_of
from trader.bars.stamps import TIME_COLUMNS, StampColumn, utc_text
from trader.bars.ticks import (
    BarTextError,
    DecimalTicks,
    FinerPriceError,
    FixedTicks,
    OffTickError,
    clean,
    split_number,
)
from trader.core.series import Series
from trader.domain.timeframe import bar_open_ms
from trader.errors import DataError
from trader.records import dataclass

_AMOUNTS = ("amount", "qty", "quantity", "size", "volume", "base_qty")
_IDS = ("id", "trade_id", "agg_trade_id", "tid")
_EXTRA_TIMES = {"timestamp_ms": "ms", "time_ms": "ms", "trade_time": "", "exch_ms": "ms"}
# Amounts are summed in units of 10**-18: what is finer is no coin's.
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class TradeBars:
    """Bars of a file of trades; `repeated`: rows that were there twice, and counted once."""

    series: Series
    trades: int
    repeated: int


@dataclass(frozen=True, slots=True)
class _Places:
    delimiter: str
    time: int
    time_name: str
    price: int
    amount: int
    id: int | None


def bars_of_trades(path: Path, symbol: str, step_ms: int, tick: Decimal | None = None) -> TradeBars:
    """Read trades, oldest first, as bars of `step_ms`. Raises DataError with the line at fault.

    The first and the last bar may hold a part of their time only: a file says nothing of before
    its first trade and after its last.
    """
    reader = _Trades(path, symbol, step_ms, tick)
    for number, line in _lines(path):
        if number == 1:
            reader.places = _places(path, line)
        elif line:
            reader.take(number, line)
    if not reader.trades:
        raise DataError(f"file {path} has a header but no trades", "fetch or copy it again")
    return TradeBars(reader.series(), reader.trades, reader.repeated)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    with closing(parts_of(path)) as parts:
        for block in chain.from_iterable(part.blocks for part in parts):
            for line in block.decode(errors="replace").split("\n")[:-1]:
                number += 1
                yield number, line


def _places(path: Path, line: str) -> _Places:
    delimiter = max((",", ";", "\t"), key=line.count)
    names = [clean(cell).lower().replace(" ", "_") for cell in line.split(delimiter)]
    times = [name for name in names if name in TIME_COLUMNS or name in _EXTRA_TIMES]
    amounts = [name for name in names if name in _AMOUNTS]
    lacking = [
        what
        for what, found in (("a time", times), ("an amount", amounts), ("price", "price" in names))
        if not found
    ]
    if lacking:
        raise DataError(
            f"{path}:1: the header lacks {', '.join(lacking)}; it has {', '.join(names[:12])}",
            f"trades need a time column, price and one of {', '.join(_AMOUNTS)}",
        )
    if len(times) > 1 or len(amounts) > 1:
        doubled = times if len(times) > 1 else amounts
        raise DataError(f"{path}:1: it could be column {' or column '.join(doubled)}", "keep one")
    ids = [names.index(name) for name in _IDS if name in names]
    return _Places(
        delimiter,
        names.index(times[0]),
        times[0],
        names.index("price"),
        names.index(amounts[0]),
        ids[0] if ids else None,
    )


class _Trades:
    """Takes lines; the newest bar grows until a trade of a later one comes."""

    def __init__(self, path: Path, symbol: str, step_ms: int, tick: Decimal | None) -> None:
        self.places: _Places | None = None
        self.trades = 0
        self.repeated = 0
        self._path = path
        self._symbol = symbol
        self._step_ms = step_ms
        self._ticks = DecimalTicks() if tick is None else FixedTicks(tick, snap=True)
        self._stamps: StampColumn | None = None
        self._columns: tuple[array[int], ...] = tuple(array("q") for _ in range(5))
        self._amounts: list[int] = []
        self._newest = (-1, "", "")

    def take(self, number: int, line: str) -> None:
        """One trade; DataError when it is none."""
        places = self.places
        assert places is not None
        cells = line.split(places.delimiter)
        if self._stamps is None:
            name = places.time_name
            self._stamps = StampColumn(name if name in TIME_COLUMNS else "timestamp")
        try:
            at_ms = self._stamps.read_one(cells[places.time])
            price = self._price(cells[places.price])
            amount = _units(cells[places.amount])
        except (BarTextError, OffTickError, IndexError) as error:
            what = "a column is missing" if isinstance(error, IndexError) else str(error)
            raise DataError(
                f"{self._path}:{number}: {what}", "repair or remove the line, or fetch it again"
            ) from None
        name = clean(cells[places.id]) if places.id is not None else ""
        if name and name == self._newest[1]:
            if line != self._newest[2]:
                raise DataError(f"{self._path}:{number}: two trades are named {name}", "keep one")
            self.repeated += 1
            return
        if at_ms < self._newest[0]:
            raise DataError(
                f"{self._path}:{number}: the trade of {utc_text(at_ms)} stands after that of "
                f"{utc_text(self._newest[0])}",
                "sort the file oldest first",
            )
        self._newest = (at_ms, name, line)
        self.trades += 1
        self._put(bar_open_ms(at_ms, self._step_ms), price, amount)

    def series(self) -> Series:
        """Every bar so far."""
        opens, opened, high, low, close = self._columns
        volume = array("d", [float(Decimal(a).scaleb(-_DIGITS)) for a in self._amounts])
        return Series(
            self._symbol, self._step_ms, self._ticks.tick, opens, opened, high, low, close, volume
        )

    def _put(self, open_ms: int, price: int, amount: int) -> None:
        opens, _, high, low, close = self._columns
        if not opens or opens[-1] != open_ms:
            opens.append(open_ms)
            for column in self._columns[1:]:
                column.append(price)
            self._amounts.append(amount)
            return
        high[-1] = max(high[-1], price)
        low[-1] = min(low[-1], price)
        close[-1] = price
        self._amounts[-1] += amount

    def _price(self, cell: str) -> int:
        while True:
            try:
                return self._ticks[cell]
            except FinerPriceError as finer:
                assert isinstance(self._ticks, DecimalTicks)
                times = 10 ** (finer.digits - self._ticks.digits)
                self._ticks.grow(finer.digits)
                opens, *prices = self._columns
                grown = (array("q", [value * times for value in column]) for column in prices)
                self._columns = (opens, *grown)


def _units(cell: str) -> int:
    number, decimals = split_number(cell)
    if decimals > _DIGITS:
        number, rest = divmod(number, 10 ** (decimals - _DIGITS))
        if rest:
            raise BarTextError(f"amount {clean(cell)} is finer than any coin")
        decimals = _DIGITS
    return number * 10 ** (_DIGITS - decimals)

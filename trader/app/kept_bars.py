"""Bars that were imported and fetched before, by instrument.

Lives here: `stored`, which every command that runs on kept bars calls. Must not live here: the
store itself (`bars.store`), files (`bar_store`), and what is done with the bars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from trader.app.bar_store import OpenedBars
from trader.bars.bar_file import BarFileReport
from trader.bars.joining import common_tick, on_tick
from trader.bars.names import STEPS_MS
from trader.bars.resample import resample
from trader.bars.store import BarStore, told_of
from trader.core.series import Series
from trader.errors import DataError


def stored(
    pairs: Sequence[str], timeframe: str | None, folder: Path, tick: Decimal | None = None
) -> dict[str, OpenedBars]:
    """Kept bars by instrument, of what `trader data import` and `fetch` put into a folder.

    Args:
        pairs: instruments; none means every one that is kept on the timeframe.
        timeframe: bars of this length: kept ones, else made exactly of the longest kept ones that
            they consist of. None: the shortest that are kept of each instrument.
        folder: `wiring.bars_folder`. tick: prices are counted in it.

    Raises DataError for an instrument without bars, UsageError for names that mean nothing.
    """
    store = BarStore(folder)
    held = store.held()
    wanted = list(dict.fromkeys(pairs)) or sorted(
        {symbol for symbol, name in held if timeframe in (None, name)}
    )
    if not wanted:
        what = f"bars of {timeframe}" if timeframe else "bars"
        raise DataError(f"no {what} are kept in {folder}", "trader data fetch, or import, first")
    return {symbol: _stored(store, held, symbol, timeframe, tick) for symbol in wanted}


def _stored(
    store: BarStore,
    held: Sequence[tuple[str, str]],
    symbol: str,
    timeframe: str | None,
    tick: Decimal | None,
) -> OpenedBars:
    names = [name for known, name in held if known == symbol]
    source = _made_of(names, timeframe) if timeframe else next(iter(names), None)
    path = store.place(symbol, source or timeframe or "1h")
    kept = store.load(symbol, source) if source else None
    if kept is None or not len(kept.series):
        have = f", only {', '.join(names)}" if names else ""
        wanted = f" of {timeframe}" if timeframe else ""
        raise DataError(
            f"no bars{wanted} of {symbol} are kept in {store.folder}{have}",
            f"trader data fetch --pairs {symbol} --timeframe {timeframe or '1h'} --since DATE, or "
            "import a file",
        )
    series = kept.series if tick is None else _counted_in(kept.series, tick)
    told = kept.told if series is kept.series else None
    notes = kept.notes
    if timeframe and timeframe != source:
        series, told = resample(series, STEPS_MS[timeframe]), None
        notes += (f"{symbol}: bars of {timeframe} are made of the kept ones of {source}",)
    told = told or told_of(series)
    report = _report_of(series, told)
    return OpenedBars(path, series, report, told["sha"], cached=True, notes=notes)


def _made_of(names: Sequence[str], timeframe: str) -> str | None:
    """The kept timeframe to read: the wanted one, else the longest that makes it up."""
    step_ms = STEPS_MS.get(timeframe, 0)
    fitting = [name for name in names if step_ms and step_ms % STEPS_MS[name] == 0]
    return fitting[-1] if fitting else None


def _counted_in(series: Series, tick: Decimal) -> Series:
    if common_tick(series.tick, tick) != tick:
        raise DataError(
            f"kept prices of {series.symbol} are in steps of {series.tick:f}, the rules say "
            f"{tick:f}",
            "give rules with the tick of that time",
        )
    return on_tick(series, tick)


def _report_of(series: Series, sums: Mapping[str, Any]) -> BarFileReport:
    """What a reader would have told of these bars; empty where it would tell of a file."""
    told: dict[str, Any] = {
        **sums,
        "rows": len(series),
        "first_ms": series.open_ms[0],
        "last_ms": series.open_ms[-1],
        "format": "kept",
        "time_unit": "ms",
        "ended": True,
    }
    empty = {"int": 0, "str": "", "bool": False, "tuple[str, ...]": ()}
    shape = {field.name: empty[str(field.type)] for field in fields(BarFileReport)}
    return BarFileReport(**{name: told.get(name, value) for name, value in shape.items()})

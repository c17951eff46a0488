"""What is kept, as data: the rows of `trader data list`, and one of them in full.

Lives here: sums over kept columns. Must not live here: the judgement of quality (`data_check`),
layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trader.bars.names import STEPS_MS
from trader.bars.store import BarStore, Kept
from trader.core.scale import text
from trader.core.series import Series
from trader.errors import DataError, UsageError

PPM = 1_000_000
LAST_BARS = 5


def list_rows(
    store: BarStore, pairs: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], list[DataError]]:
    """(a row for everything that is kept, of these instruments when there are any; an error for
    each file that is damaged: it hides no other one)."""
    rows: list[dict[str, Any]] = []
    errors: list[DataError] = []
    for symbol, timeframe in store.held():
        if pairs and symbol not in pairs:
            continue
        try:
            kept = store.load(symbol, timeframe)
        except DataError as error:
            errors.append(error)
            continue
        if kept is not None and len(kept.series):
            rows.append(summary(store, kept, timeframe))
    return rows, errors


def summary(store: BarStore, kept: Kept, timeframe: str) -> dict[str, Any]:
    """What is kept of one instrument and timeframe, in numbers."""
    series = kept.series
    expected = (series.open_ms[-1] - series.open_ms[0]) // series.step_ms + 1
    path = store.place(series.symbol, timeframe)
    return {
        "symbol": series.symbol,
        "timeframe": timeframe,
        "bars": len(series),
        "first_ms": series.open_ms[0],
        "last_ms": series.open_ms[-1],
        "missing": expected - len(series),
        "completeness_ppm": len(series) * PPM // expected,
        "tick": text(series.tick),
        "bytes": path.stat().st_size if path.exists() else 0,
        "path": str(path),
    }


def show_kept(store: BarStore, symbol: str, timeframe: str) -> dict[str, Any]:
    """Everything about one instrument and timeframe.

    `timeframe` may be "" when only one is kept. Raises DataError when nothing is kept, UsageError
    when it could be several.
    """
    names = [name for held, name in store.held() if held == symbol]
    if not timeframe and len(names) > 1:
        raise UsageError(f"{symbol} is kept in {', '.join(names)}", "say which with --timeframe")
    chosen = timeframe or (names[0] if names else "1h")
    kept = store.load(symbol, chosen)
    if kept is None or not len(kept.series):
        have = f", only {', '.join(names)}" if names else ""
        raise DataError(
            f"no bars of {symbol}{f' {timeframe}' if timeframe else ''} are kept in "
            f"{store.folder}{have}",
            "trader data fetch, or import, first",
        )
    return {
        **summary(store, kept, chosen),
        "sources": [dict(source) for source in kept.sources],
        "fetched": [{"from_ms": start, "until_ms": end} for start, end in kept.covered],
        "newest": bar_rows(kept.series, len(kept.series) - LAST_BARS),
        "notes": list(kept.notes),
    }


def bar_rows(series: Series, start: int) -> list[dict[str, Any]]:
    """Bars from an index on, prices as decimal text."""
    tick = series.tick
    return [
        {
            "open_ms": at,
            "open": text(opened * tick),
            "high": text(high * tick),
            "low": text(low * tick),
            "close": text(close * tick),
            "volume": repr(volume),
        }
        for at, opened, high, low, close, volume in series.slice(max(0, start), len(series)).rows()
    ]


def step_of_name(timeframe: str) -> int:
    """Length of a bar, ms. Raises UsageError for a name that is not known."""
    if timeframe not in STEPS_MS:
        known = ", ".join(sorted(STEPS_MS, key=STEPS_MS.__getitem__))
        raise UsageError(f"timeframe {timeframe!r} is not known", f"known are {known}")
    return STEPS_MS[timeframe]

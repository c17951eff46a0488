"""Bars of a higher timeframe from a series, exactly.

Lives here: first open, highest high, lowest low, last close, summed volume, on the UTC grid. Must
not live here: invented bars; an interval in which nothing was traded has no bar.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass

from trader.core.series import Series
from trader.domain.timeframe import bar_open_ms


@dataclass(slots=True)
class _Columns:
    """Where higher bars are put together; the last one is still open until the next begins."""

    open_ms: array[int]
    open: array[int]
    high: array[int]
    low: array[int]
    close: array[int]
    volume: array[float]


def resample(
    series: Series,
    step_ms: int,
    from_ms: int | None = None,
    until_ms: int | None = None,
) -> Series:
    """Bars of `step_ms`, a multiple of the series' own step; equal to an exchange's own.

    A bar is made for each interval that lies wholly inside [from_ms, until_ms) and holds at least
    one bar of the series. Absent bars inside are "no trade".

    Args:
        from_ms: since when the series is known to hold every bar; its first bar's open time when
            not given, so that an interval which began before the series has no bar.
        until_ms: up to when it is known; its last bar's close time when not given, so that an
            interval that has not ended has no bar.

    Raises ValueError when `step_ms` is no multiple of the series' step.
    """
    if step_ms <= 0 or step_ms % series.step_ms:
        raise ValueError(f"{step_ms} ms is not a multiple of the bars' {series.step_ms} ms")
    count = len(series)
    start = series.open_ms[0] if from_ms is None and count else from_ms or 0
    stop = series.open_ms[-1] + series.step_ms if until_ms is None and count else until_ms or 0
    first_open = -(-(start - bar_open_ms(start, step_ms)) // step_ms) * step_ms
    first_open += bar_open_ms(start, step_ms)
    low, high = (bisect_left(series.open_ms, at) for at in (first_open, bar_open_ms(stop, step_ms)))
    out = _collect(series, step_ms, low, high)
    return Series(
        series.symbol, step_ms, series.tick,
        out.open_ms, out.open, out.high, out.low, out.close, out.volume,
    )  # fmt: skip


def _collect(series: Series, step_ms: int, start: int, stop: int) -> _Columns:
    out = _Columns(array("q"), array("q"), array("q"), array("q"), array("q"), array("d"))
    ends_ms = -1
    for index in range(start, stop):
        at_ms = series.open_ms[index]
        if at_ms >= ends_ms:
            opened_ms = bar_open_ms(at_ms, step_ms)
            ends_ms = opened_ms + step_ms
            out.open_ms.append(opened_ms)
            out.open.append(series.open[index])
            out.high.append(series.high[index])
            out.low.append(series.low[index])
            out.close.append(series.close[index])
            out.volume.append(series.volume[index])
            continue
        out.high[-1] = max(out.high[-1], series.high[index])
        out.low[-1] = min(out.low[-1], series.low[index])
        out.close[-1] = series.close[index]
        out.volume[-1] += series.volume[index]
    return out

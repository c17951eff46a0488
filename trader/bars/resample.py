"""Bars of a higher timeframe from a series, exactly.

Lives here: first open, highest high, lowest low, last close, summed volume, on the UTC grid. Must
not live here: invented bars; an interval in which nothing was traded has no bar.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

from trader.core.bar_groups import group_columns
from trader.core.series import Series
from trader.domain.timeframe import bar_open_ms, grid_origin_ms


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
    return _grouped(series, step_ms, low, high)


def _grouped(series: Series, step_ms: int, start: int, stop: int) -> Series:
    """The bars that rows [start, stop) make up."""
    room = 0
    if start < stop:
        span_ms = series.open_ms[stop - 1] - series.open_ms[start]
        room = min(stop - start, span_ms // step_ms + 2)
    opens, opened, high, low, close = (array("q", [0]) * room for _ in range(5))
    volume = array("d", [0.0]) * room
    made = group_columns(
        series.open_ms, opens,
        series.open, series.high, series.low, series.close, opened, high, low, close,
        series.volume, volume,
        start, stop, step_ms, grid_origin_ms(step_ms),
    )  # fmt: skip
    for column in (opens, opened, high, low, close):
        del column[made:]
    del volume[made:]
    return Series(series.symbol, step_ms, series.tick, opens, opened, high, low, close, volume)

# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Bars of a longer timeframe from shorter ones: the loop over columns.

Lives here: one pass that writes open, highest, lowest, close and summed volume of each interval of
a grid. Must not live here: which intervals are whole (`bars.resample`), and series.
"""

from __future__ import annotations

from array import array

from trader.core.series import Floats, Ints


def group_columns(
    open_ms: Ints,
    out_ms: array[int],
    opened: Ints,
    high: Ints,
    low: Ints,
    close: Ints,
    out_open: array[int],
    out_high: array[int],
    out_low: array[int],
    out_close: array[int],
    volume: Floats,
    out_volume: array[float],
    start: int,
    stop: int,
    step_ms: int,
    origin_ms: int,
) -> int:
    """Write the bars that rows [start, stop) make up; how many.

    Args:
        open_ms, opened, high, low, close, volume: of the rows; the others: room for what is made.
        step_ms, origin_ms: of the grid of intervals.
    """
    made = -1
    ends_ms = -1
    for i in range(start, stop):
        at_ms = open_ms[i]
        if made < 0 or at_ms >= ends_ms:
            made += 1
            out_ms[made] = (at_ms - origin_ms) // step_ms * step_ms + origin_ms
            ends_ms = out_ms[made] + step_ms
            out_open[made] = opened[i]
            out_high[made] = high[i]
            out_low[made] = low[i]
            out_close[made] = close[i]
            out_volume[made] = volume[i]
            continue
        out_high[made] = max(out_high[made], high[i])
        out_low[made] = min(out_low[made], low[i])
        out_close[made] = close[i]
        out_volume[made] += volume[i]
    return made + 1

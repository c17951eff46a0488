"""Timeframes: the names users type and their length in milliseconds."""

from __future__ import annotations

MINUTE_MS = 60_000
DAY_MS = 86_400_000
# Epoch day 0 was a Thursday; weeks count from Monday, so the weekly grid starts 4 days later.
WEEK_ORIGIN_MS = 4 * DAY_MS

TIMEFRAMES_MS: dict[str, int] = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "1d": DAY_MS,
    "1w": 7 * DAY_MS,
}


def grid_origin_ms(step_ms: int) -> int:
    """Where the bar grid of this step starts: the epoch, or its first Monday for weeks."""
    return WEEK_ORIGIN_MS if step_ms % (7 * DAY_MS) == 0 else 0


def bar_open_ms(at_ms: int, step_ms: int) -> int:
    """Open time of the bar [open, open + step) that holds `at_ms`."""
    origin = grid_origin_ms(step_ms)
    return (at_ms - origin) // step_ms * step_ms + origin


def last_closed_open_ms(now_ms: int, step_ms: int) -> int:
    """Open time of the newest bar that has closed at `now_ms`."""
    return bar_open_ms(now_ms, step_ms) - step_ms


def timeframe_name(step_ms: int) -> str:
    """The name of a step; ValueError when users have no name for it."""
    for name, known_ms in TIMEFRAMES_MS.items():
        if known_ms == step_ms:
            return name
    raise ValueError(f"no timeframe of {step_ms} ms; known: {', '.join(TIMEFRAMES_MS)}")

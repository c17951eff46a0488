"""Axes of a report's charts: where a value lies, and the round values that are written beside it.

Lives here: scales and ticks, the same for page and picture. Must not live here: what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import floor, log10

from trader.records import dataclass

# Charts are SIZE wide and SIZE high; x to the right, y downwards.
SIZE = 4000
TICKS_MAX = 5
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TIME_STEPS = (HOUR_MS // 4, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS, 2 * DAY_MS,
              7 * DAY_MS, 14 * DAY_MS)  # fmt: skip
MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
TIME_TICKS_MAX = 4
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Ticks = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """Values [low, high] laid over SIZE; `down`: the high value is at 0."""

    low: float
    high: float
    down: bool = False

    def place(self, value: float) -> int:
        """Where a value lies, inside the chart."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        share = min(1.0, max(0.0, share))
        return round((1.0 - share if self.down else share) * SIZE)


def nice_step(span: float, most: int = TICKS_MAX) -> float:
    """The smallest 1, 2, 2.5 or 5 times a power of ten that cuts a span into `most` at most."""
    if span <= 0:
        return 1.0
    power = 10.0 ** floor(log10(span / most))
    return next(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if span / (s * power) <= most)


def value_axis(values: Sequence[float], *, zero: bool = False) -> Axis:
    """An axis that holds all of them with a little room; `zero`: and 0 at its end or inside."""
    low, high = min(values), max(values)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        room = abs(low) / 100 or 1.0
        return Axis(low - room, high + room, down=True)
    room = (high - low) / 25
    edge_low = low if zero and low == 0.0 else low - room
    edge_high = high if zero and high == 0.0 else high + room
    return Axis(edge_low, edge_high, down=True)


def value_ticks(axis: Axis, unit: str = "") -> Ticks:
    """Round values inside an axis; `unit` "%": values are shares."""
    scale = 100.0 if unit == "%" else 1.0
    step = nice_step((axis.high - axis.low) * scale)
    first = -floor(-axis.low * scale / step)
    last = floor(axis.high * scale / step)
    digits = max(0, -floor(log10(step) + 1e-9))
    if step * 10**digits % 1 > 1e-6:  # 2.5 of a power needs one more
        digits += 1
    return tuple(
        (axis.place(k * step / scale), short(k * step, digits) + (" %" if unit == "%" else ""))
        for k in range(int(first), int(last) + 1)
    )


def count_ticks(axis: Axis) -> Ticks:
    """Whole numbers inside an axis that begins at 0."""
    step = max(1, round(nice_step(axis.high) + 0.49))
    return tuple((axis.place(k), f"{k:,}") for k in range(0, floor(axis.high) + 1, step))


def short(value: float, digits: int) -> str:
    """A number beside an axis: thousands apart, millions as M."""
    for size, letter in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= size:
            return f"{value / size:,.6g}{letter}"
    shown = f"{value:,.{digits}f}"
    return shown.lstrip("-") if float(shown.replace(",", "")) == 0 else shown


def time_ticks(start_ms: int, end_ms: int) -> Ticks:
    """Round UTC times inside a stretch."""
    axis = Axis(start_ms, end_ms)
    span = end_ms - start_ms
    step = next((s for s in TIME_STEPS if span / s <= TIME_TICKS_MAX), 0)
    if step:
        form = _day if step >= DAY_MS else _minute
        times = range(-(-start_ms // step) * step, end_ms + 1, step)
    else:
        form, times = _month, _months(start_ms, end_ms)
    return tuple((axis.place(at), form(_EPOCH + timedelta(milliseconds=at))) for at in times)


def _day(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]}"


def _minute(moment: datetime) -> str:
    return f"{_day(moment)} {moment.hour:02d}:{moment.minute:02d}"


def _month(moment: datetime) -> str:
    return f"{MONTHS[moment.month - 1]} {moment.year}"


def _months(start_ms: int, end_ms: int) -> Sequence[int]:
    first = _EPOCH + timedelta(milliseconds=start_ms)
    last = _EPOCH + timedelta(milliseconds=end_ms)
    count = (last.year - first.year) * 12 + last.month - first.month
    step = next((s for s in MONTH_STEPS if count / s <= TIME_TICKS_MAX), MONTH_STEPS[-1])
    found: list[int] = []
    month = -(-(first.year * 12 + first.month - 1) // step) * step
    while True:
        at = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        at_ms = int((at - _EPOCH).total_seconds()) * 1000
        if at_ms > end_ms:
            return found
        if at_ms >= start_ms:
            found.append(at_ms)
        month += step

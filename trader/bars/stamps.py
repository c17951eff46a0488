"""Time cells -> int64 UTC epoch ms.

Lives here: which unit or notation a time column is in, told by its name and magnitude, and the
refusal of what could be read in two ways. Must not live here: order, grid or gaps of bars.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from trader.bars.ticks import BarTextError, clean
from trader.domain.timeframe import DAY_MS

# Column name (lower case, spaces as underscores) -> the unit that it promises, "" for none.
TIME_COLUMNS: dict[str, str] = {
    "date": "",
    "datetime": "",
    "timestamp": "",
    "timestamp_s": "s",
    "timestamp_ms": "ms",
    "timestamp_us": "us",
    "timestamp_ns": "ns",
    "time": "",
    "open_time": "",
    "open_ms": "ms",
    **dict.fromkeys(
        (
            "opentime", "open_timestamp", "opentimestamp", "start", "start_time", "starttime",
            "start_at", "startat", "time_period_start", "period_start", "t", "ts", "mts", "unix",
            "unix_time", "unixtime", "unix_timestamp", "epoch", "utc", "utc_time", "time_utc",
            "date_utc", "datetime_utc", "timestamp_utc", "open_time_utc", "gmt_time",
        ),
        "",
    ),
    "time_s": "s", "unix_s": "s", "epoch_s": "s", "open_time_s": "s",
    "time_ms": "ms", "unix_ms": "ms", "epoch_ms": "ms", "open_time_ms": "ms",
    "time_us": "us", "open_time_us": "us", "time_ns": "ns", "open_time_ns": "ns",
}  # fmt: skip
# Units per ms as (multiply, divide), and the digits range in which only that unit is a date
# between 1973 and 5138.
_SCALE: dict[str, tuple[int, int]] = {
    "s": (1000, 1),
    "ms": (1, 1),
    "us": (1, 1_000),
    "ns": (1, 1_000_000),
}
_FROM: dict[str, int] = {"s": 10**8, "ms": 10**11, "us": 10**14, "ns": 10**17}
STAMP_MS_MAX = 10**14
_NUMBER = re.compile(r"(\d{1,20})(?:\.(\d*))?", re.ASCII)
_EXPONENT = re.compile(r"[\d.]+[eE][+-]?\d+", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{2,4})(\D.*)?", re.ASCII)
# MetaTrader and spreadsheets write points or strokes; the year first, it is the same date.
_ISO_DAY = re.compile(r"\d{4}([-./])\d{2}\1\d{2}", re.ASCII)
_COMPACT = re.compile(r"(\d{8}) \d{1,2}:", re.ASCII)
_HALF_DAY = re.compile(r"(0?[1-9]|1[0-2])-?([AP])M", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def utc_text(at_ms: int) -> str:
    """A time for people: `2018-06-05 00:01:00 UTC`."""
    if not 0 <= at_ms < STAMP_MS_MAX:
        return f"{at_ms} ms"
    moment = (_EPOCH + timedelta(milliseconds=at_ms)).replace(tzinfo=None)
    return f"{moment.isoformat(' ', 'milliseconds' if at_ms % 1000 else 'seconds')} UTC"


class _Days(dict[str, int]):
    """`2018-06-05` (also 2018.06.05, 2018/06/05) -> epoch ms of its midnight UTC."""

    def __missing__(self, text: str) -> int:
        # The pattern keeps out the week dates that fromisoformat reads too.
        wrong = BarTextError(f"{text!r} is not a date")
        if not _ISO_DAY.fullmatch(text):
            raise wrong
        try:
            at_ms = (
                date.fromisoformat(text.replace(".", "-").replace("/", "-")).toordinal()
                - _EPOCH.toordinal()
            ) * DAY_MS
        except ValueError:
            raise wrong from None
        self[text] = at_ms
        return at_ms


class _Clocks(dict[str, int]):
    """What follows the date (` 00:01:00`, `T00:01:00+02:00`) -> ms after midnight UTC."""

    def __missing__(self, text: str) -> int:
        rest = text.strip().removesuffix("UTC").rstrip()
        wrong = BarTextError(f"{text!r} is not a time of day")
        if rest and text[0] not in "Tt ":
            raise wrong
        if half := _HALF_DAY.fullmatch(rest):
            hours = int(half[1]) % 12 + (12 if half[2] == "P" else 0)
            rest = f"{hours:02}:00"
        try:
            moment = datetime.fromisoformat(f"1970-01-01T{rest.lstrip('Tt ') or '00:00'}")
        except ValueError:
            raise wrong from None
        offset = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
        if offset % _MS:
            raise BarTextError(f"{text!r} is not a whole number of milliseconds")
        self[text] = offset // _MS
        return offset // _MS


class StampColumn:
    """Reads the cells of one time column; the first cell decides how. Times without zone are UTC.

    `unit` is "s", "ms", "us", "ns", "iso", "compact" (`20180605 00:01`), or "" before the first
    cell. `day_ms`: cells are ms since this midnight, as LEAN writes them; None: they are epochs.
    """

    def __init__(self, column: str, day_ms: int | None = None) -> None:
        self.column = column
        self.unit = "" if day_ms is None else "ms"
        self.day_ms = day_ms
        self._days = _Days()
        self._clocks = _Clocks()

    def read(self, cells: Sequence[str]) -> list[int]:
        """Epoch ms of many cells; raises BarTextError without saying which."""
        if not self.unit:
            self.unit = _unit_of(self.column, clean(cells[0]))
        if self.unit == "iso":
            days, clocks = self._days, self._clocks
            try:
                return [days[cell[:10]] + clocks[cell[10:]] for cell in cells]
            except BarTextError:
                return [self.read_one(cell) for cell in cells]
        if self.day_ms is not None:
            return [self.read_one(cell) for cell in cells]
        joined = "".join(cells)
        if self.unit == "compact" or not (joined.isascii() and joined.isdecimal()) or "" in cells:
            return [self.read_one(cell) for cell in cells]
        times, over = _SCALE[self.unit]
        values = list(map(int, cells))
        if times == over:
            return values
        if over == 1:
            return [value * times for value in values]
        return [_whole(value, over, value) for value in values]

    def read_one(self, cell: str) -> int:
        """Epoch ms of one cell; raises BarTextError."""
        text = clean(cell)
        if not self.unit:
            self.unit = _unit_of(self.column, text)
        if self.unit == "iso":
            return self._days[text[:10]] + self._clocks[text[10:]]
        if self.unit == "compact":
            return self._days[f"{text[:4]}-{text[4:6]}-{text[6:8]}"] + self._clocks[text[8:]]
        found = _NUMBER.fullmatch(text)
        if found is None:
            raise _not_a_time(text)
        times, over = _SCALE[self.unit]
        fraction = (found[2] or "").rstrip("0")
        scaled = int(found[1] + fraction) * times
        at_ms = _whole(scaled, over * 10 ** len(fraction), text)
        if self.day_ms is None:
            return at_ms
        if at_ms >= DAY_MS:
            raise BarTextError(f"time {text} is not within a day, in ms since midnight")
        return self.day_ms + at_ms

    @property
    def scale(self) -> tuple[int, int]:
        """(times, over): a stamp s is s * times / over ms; times 0: ISO dates."""
        return (0, 1) if self.unit == "iso" else _SCALE[self.unit]


def _whole(value: int, over: int, text: str | int) -> int:
    at_ms, rest = divmod(value, over)
    if rest:
        raise BarTextError(f"time {text} is not a whole number of milliseconds")
    return at_ms


def _unit_of(column: str, text: str) -> str:
    found = _NUMBER.fullmatch(text)
    if found is None:
        if _ISO_DAY.match(text):
            return "iso"
        if _COMPACT.match(text):
            return "compact"
        raise _not_a_time(text)
    value = int(found[1])
    by_size = next((unit for unit in reversed(_FROM) if value >= _FROM[unit]), "")
    named = TIME_COLUMNS[column]
    if named and by_size in ("", named):
        return named
    if named:
        raise BarTextError(
            f"column {column} holds {text}, which is {_reading(value, named)} or "
            f"{_reading(value, by_size)}; name the column for its unit"
        )
    if by_size:
        return by_size
    readings = [_reading(value, "s"), _reading(value, "ms")]
    if len(found[1]) == 8:
        readings.append("a date written YYYYMMDD")
    raise BarTextError(
        f"time {text} could be {' or '.join(readings)}; name the column timestamp_s or "
        "timestamp_ms, or write dates as YYYY-MM-DD"
    )


def _reading(value: int, unit: str) -> str:
    times, over = _SCALE[unit]
    return f"{utc_text(value * times // over)} (as {unit})"


def _not_a_time(text: str) -> BarTextError:
    if not text:
        return BarTextError("the time is empty")
    found = _DAY_FIRST.fullmatch(text)
    if found and max(int(found[1]), int(found[2])) <= 12:
        return BarTextError(
            f"date {text!r} could be day {found[1]} of month {found[2]} or day {found[2]} of "
            f"month {found[1]}; write dates as YYYY-MM-DD"
        )
    if _EXPONENT.fullmatch(text):
        return BarTextError(
            f"time {text} is in exponent form, as spreadsheets save it, and has lost digits"
        )
    return BarTextError(f"{text[:40]!r} is not a time that is known; write YYYY-MM-DD HH:MM:SS")

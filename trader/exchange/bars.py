"""Bar files as the exchange reads them.

Here: a parser of its own for CSV and CSV.gz files and `BarSeries`, an ordered sequence of bars with
exact prices, parsed on demand so that half a million rows load in about a second. Not here: what a
market makes of the bars. Nothing is shared with the trader's own bar reader.
"""

from __future__ import annotations

import gzip
import math
import zlib
from array import array
from bisect import bisect_right
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from trader.errors import UsageError
from trader.exchange.money import ZERO, nearest
from trader.records import dataclass

_TIME_COLUMNS = ("timestamp_ms", "timestamp_s", "timestamp", "date", "datetime")
_VALUE_COLUMNS = ("open", "high", "low", "close", "volume")
_STEPS_MS = (
    1_000, 60_000, 180_000, 300_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000,
    21_600_000, 28_800_000, 43_200_000, 86_400_000, 259_200_000, 604_800_000,
)  # fmt: skip
_CACHE_BARS_MAX = 4_096


class ExchangeSetupError(UsageError):
    """The exchange cannot start: what is wrong, where, and what to do, in one sentence."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: [open_ms, open_ms + step) UTC epoch ms, exact prices, volume in base units."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class BarSeries:
    """Bars of one instrument, oldest first, no two with the same open time.

    `opens_ms: int64[n]`; `rows: str[n]`, each "open,high,low,close,volume" as the file wrote it.
    `step_ms` is the bar's length: the largest standard interval that fits the smallest distance.
    """

    def __init__(self, opens_ms: array[int], rows: list[str], step_ms: int) -> None:
        self.opens_ms = opens_ms
        self.rows = rows
        self.step_ms = step_ms
        self._tick = ZERO
        self._cache: dict[int, Bar] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def bar(self, index: int) -> Bar:
        """The bar at `index`, exact."""
        found = self._cache.get(index)
        if found is None:
            o, h, low, c, volume = map(Decimal, self.rows[index].split(","))
            if self._tick:
                o, h, low, c = (nearest(price, self._tick) for price in (o, h, low, c))
            found = Bar(self.opens_ms[index], o, h, low, c, volume)
            if len(self._cache) >= _CACHE_BARS_MAX:
                self._cache.clear()
            self._cache[index] = found
        return found

    def put_on(self, tick: Decimal) -> None:
        """Show every price on the grid of `tick`, to the nearest: a venue prints no other."""
        self._tick = tick
        self._cache.clear()

    def decimals(self) -> int:
        """The most decimals that a price of the file has; counted no further than eight."""
        most = 0
        for row in self.rows:
            prices = row.split(",")[:4]
            if "e" in row or "E" in row:
                prices = [format(Decimal(price), "f") for price in prices]
            most = max(most, *(len(price.partition(".")[2].rstrip("0")) for price in prices))
            if most >= 8:
                return 8
        return most

    def index_at(self, at_ms: int) -> int:
        """Index of the last bar that has opened by `at_ms`; -1 before the first."""
        return bisect_right(self.opens_ms, at_ms) - 1

    def close_ms(self, index: int) -> int:
        """First millisecond after the bar."""
        return self.opens_ms[index] + self.step_ms


def load_bars(path: Path) -> BarSeries:
    """Read a bar file (CSV or CSV.gz; UTF-8, or UTF-16 with a byte-order mark).

    Rows out of order are sorted and exact repeats dropped; two different rows for one time, a
    missing or unknown header and impossible prices raise ExchangeSetupError naming file and line.
    """
    lines = _read_text(path).splitlines()
    if not lines:
        raise ExchangeSetupError(f"{path.name}: the bar file is empty; give one with a header line")
    time_column, columns = _columns(path, lines[0])
    parsed: list[tuple[int, str]] = []
    for number, line in enumerate(lines[1:], start=2):
        if line:
            parsed.append(_row(path, number, line, time_column, columns))
    if not parsed:
        raise ExchangeSetupError(f"{path.name}: a header but no bars; nothing to trade against")
    return _series(path, parsed)


def _series(path: Path, parsed: list[tuple[int, str]]) -> BarSeries:
    if any(parsed[i][0] >= parsed[i + 1][0] for i in range(len(parsed) - 1)):
        parsed = sorted(set(parsed))
        for left, right in pairwise(parsed):
            if left[0] == right[0]:
                raise ExchangeSetupError(
                    f"{path.name}: two different bars open at {left[0]}; keep one of them"
                )
    opens = array("q", [row[0] for row in parsed])
    gaps = [b - a for a, b in pairwise(opens)]
    smallest = min(gaps, default=60_000)
    fitting = [step for step in _STEPS_MS if step <= smallest]
    if not fitting:
        raise ExchangeSetupError(f"{path.name}: bars {smallest} ms apart; the shortest is 1000 ms")
    return BarSeries(opens, [row[1] for row in parsed], fitting[-1])


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return raw.decode("utf-16")
        return raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise ExchangeSetupError(f"{path}: cannot read the bar file: {error}") from error
    except UnicodeDecodeError as error:
        raise ExchangeSetupError(f"{path}: the bar file is not text; give CSV or CSV.gz") from error


def _columns(path: Path, header: str) -> tuple[tuple[str, int], list[int]]:
    names = [name.strip().lower() for name in header.split(",")]
    time_name = next((name for name in _TIME_COLUMNS if name in names), None)
    missing = [name for name in _VALUE_COLUMNS if name not in names]
    if time_name is None or missing:
        raise ExchangeSetupError(
            f"{path.name}: no usable header in line 1; it must name one of "
            f"{'|'.join(_TIME_COLUMNS)} and {','.join(_VALUE_COLUMNS)}"
        )
    return (time_name, names.index(time_name)), [names.index(name) for name in _VALUE_COLUMNS]


def _row(
    path: Path, number: int, line: str, time_column: tuple[str, int], columns: list[int]
) -> tuple[int, str]:
    cells = line.split(",")
    try:
        at_ms = _time_ms(time_column[0], cells[time_column[1]].strip())
        values = [cells[index].strip() for index in columns]
        o, h, low, c, v = map(float, values)
    except (ValueError, IndexError) as error:
        raise ExchangeSetupError(f"{path.name}:{number}: not a bar: {line[:80]!r}") from error
    sane = 0 < low <= min(o, c) and max(o, c) <= h < math.inf and 0 <= v < math.inf
    if not sane:
        raise ExchangeSetupError(f"{path.name}:{number}: impossible bar: {line[:80]!r}")
    return at_ms, ",".join(values)


def _time_ms(name: str, cell: str) -> int:
    if name in ("date", "datetime") and not cell.isdigit():
        stamp = datetime.fromisoformat(cell)
        stamp = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp
        return int(stamp.timestamp()) * 1000
    value = Decimal(cell)
    in_seconds = name == "timestamp_s" or (name != "timestamp_ms" and value < 100_000_000_000)
    whole = value * 1000 if in_seconds else value
    if whole != int(whole):
        raise ValueError(cell)
    return int(whole)

"""How good bars are, in counts: what is missing, what stands still, what sticks out.

Lives here: sums over one series, each with its rule, and the score. Must not live here: faults of a
file's rows that never became bars (`rough` counts those), and layout.

Rules. A *gap* is a place where the next bar is later than one step. A *flat* bar has one price, the
close before it; a *still* bar has no volume; both matter in runs of RUN_MIN or more, as an exchange
that is down, or a filler of minutes, leaves them. An *outlier* is a bar whose high (or low) sticks
out beyond both neighbours by more than OUTLIER_RANGES times the median range (high - low, at least
a tick) of its block of BLOCK_BARS bars, and by more than a fiftieth of its close: a price that came
back at once. A fall that stays is no outlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nlargest
from itertools import islice

from trader.core.series import Series
from trader.records import dataclass

RUN_MIN = 10
BLOCK_BARS = 512
OUTLIER_RANGES = 20
OUTLIER_SHARE = 50
LISTED_MAX = 5
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring bars, or a gap: it begins at `from_ms` and is so many bars long."""

    from_ms: int
    bars: int


@dataclass(frozen=True, slots=True)
class Outlier:
    """A bar that sticks out of both neighbours: by `ticks`, `ranges` times the median range."""

    open_ms: int
    ticks: int
    ranges: int


@dataclass(frozen=True, slots=True)
class Survey:
    """Counts over one series.

    Attributes:
        bars: there are. expected: there would be from the first to the last without a gap.
        gaps: how many. longest_gaps: of those LISTED_MAX, longest first.
        zero_volume, flat: bars. still_runs, flat_runs: runs of RUN_MIN bars or more, all of them,
            oldest first. outliers: all, oldest first.
        doubtful: bars that are an outlier or in one of the runs.
        future: bars that close after now.
    """

    bars: int
    expected: int
    gaps: int
    longest_gaps: tuple[Run, ...]
    zero_volume: int
    still_runs: tuple[Run, ...]
    flat: int
    flat_runs: tuple[Run, ...]
    outliers: tuple[Outlier, ...]
    doubtful: int
    future: int

    @property
    def missing(self) -> int:
        """Bars that are absent between the first and the last."""
        return self.expected - self.bars

    @property
    def completeness_ppm(self) -> int:
        """Millionths of the expected bars that are there, rounded down."""
        return self.bars * PPM // self.expected if self.expected else 0


def survey(series: Series, now_ms: int) -> Survey:
    """Look at every bar; `now_ms`: bars that close after it are from the future."""
    count, step_ms = len(series), series.step_ms
    if not count:
        return Survey(0, 0, 0, (), 0, (), 0, (), (), 0, 0)
    gaps = list(_gaps(series))
    zeros = [index for index, volume in enumerate(series.volume) if volume == 0]
    flats = list(_flat(series))
    outliers = list(_outliers(series))
    doubted = {index for index, _ in outliers}
    still_runs = _runs(series, zeros, doubted)
    flat_runs = _runs(series, flats, doubted)
    last_ms = now_ms - step_ms
    return Survey(
        bars=count,
        expected=(series.open_ms[-1] - series.open_ms[0]) // step_ms + 1,
        gaps=len(gaps),
        longest_gaps=tuple(nlargest(LISTED_MAX, gaps, key=lambda gap: (gap.bars, -gap.from_ms))),
        zero_volume=len(zeros),
        still_runs=still_runs,
        flat=len(flats),
        flat_runs=flat_runs,
        outliers=tuple(outlier for _, outlier in outliers),
        doubtful=len(doubted),
        future=count - series.index_of(last_ms + 1),
    )


def score_tenths(completeness_ppm: int, faulty_ppm: int, doubtful_ppm: int) -> int:
    """The score in tenths, 0 to 1000, rounded down.

    score = 100 x completeness x max(0, 1 - 10 x faulty) x (1 - doubtful / 2): a missing bar costs
    its share, a faulty row ten times its share, a doubtful bar half its share.
    """
    clean = max(0, PPM - 10 * faulty_ppm)
    trust = 2 * PPM - doubtful_ppm
    return 1_000 * completeness_ppm * clean * trust // (2 * PPM**3)


def _gaps(series: Series) -> Iterator[Run]:
    step_ms = series.step_ms
    opens = series.open_ms
    for before, after in zip(opens, islice(opens, 1, None), strict=False):
        if after - before > step_ms:
            yield Run(before + step_ms, (after - before) // step_ms - 1)


def _flat(series: Series) -> Iterator[int]:
    """Indexes of bars of one price, that of the close before."""
    rows = zip(
        series.close,
        islice(series.high, 1, None),
        islice(series.low, 1, None),
        strict=False,
    )
    for index, (before, high, low) in enumerate(rows, 1):
        if high == low == before:
            yield index


def _runs(series: Series, indexes: list[int], doubted: set[int]) -> tuple[Run, ...]:
    """Runs of neighbouring rows, RUN_MIN or more; their rows go into `doubted`."""
    found: list[Run] = []
    start = 0
    for place in range(1, len(indexes) + 1):
        if place < len(indexes) and indexes[place] == indexes[place - 1] + 1:
            continue
        if place - start >= RUN_MIN:
            found.append(Run(series.open_ms[indexes[start]], place - start))
            doubted.update(indexes[start:place])
        start = place
    return tuple(found)


def _outliers(series: Series) -> Iterator[tuple[int, Outlier]]:
    count = len(series)
    for start in range(0, count, BLOCK_BARS):
        stop = min(start + BLOCK_BARS, count)
        highs = [*series.high[max(0, start - 1) : stop + 1]]
        lows = [*series.low[max(0, start - 1) : stop + 1]]
        ranges = sorted(map(int.__sub__, highs, lows))
        typical = max(1, ranges[len(ranges) // 2])
        bound = OUTLIER_RANGES * typical
        shift = max(0, start - 1)
        for place in range(1, len(highs) - 1):
            up = highs[place] - max(highs[place - 1], highs[place + 1])
            down = min(lows[place - 1], lows[place + 1]) - lows[place]
            out = max(up, down)
            index = place + shift
            far = out > bound and out * OUTLIER_SHARE > series.close[index]
            if far and start <= index < stop:
                yield index, Outlier(series.open_ms[index], out, out // typical)

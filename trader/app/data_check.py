"""`trader data check`: the judgement of bars as data.

Lives here: reading a file, or what is kept, for a look at it; the counts, the score, and whether
the bars will do. A file that is refused is read as far as it goes, so that all of what is wrong
with it is said at once. Must not live here: how each count is made (`bars.survey`, `bars.rough`),
layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from trader.app.bar_store import open_bars
from trader.app.data_view import show_kept
from trader.bars.names import step_name
from trader.bars.rough import Faults, read_roughly
from trader.bars.store import BarStore
from trader.bars.survey import (
    LISTED_MAX,
    OUTLIER_RANGES,
    PPM,
    Run,
    Survey,
    score_tenths,
    survey,
)
from trader.core.scale import text
from trader.core.series import Series
from trader.errors import DataError
from trader.records import dataclass

THRESHOLD_PPM = 950_000
SCORE_RULE = (
    "100 x completeness x max(0, 1 - 10 x share of faulty rows) x (1 - share of doubtful bars / 2)"
)
OUTLIER_RULE = (
    f"sticks out of both neighbours by over {OUTLIER_RANGES} median ranges of its 512 bars and 2 % "
    "of the price"
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A judgement.

    Attributes:
        row: everything, as JSON has it. series: the bars that were looked at, None for none.
        survey: their counts. why: one sentence when the bars will not do, else "".
    """

    row: dict[str, Any]
    series: Series | None
    survey: Survey
    why: str


class Reading(NamedTuple):
    """What a file does not say of itself: instrument, timeframe, names of its columns in order."""

    symbol: str | None = None
    timeframe: str | None = None
    columns: str | None = None


def check_file(path: Path, reading: Reading, now_ms: int, threshold_ppm: int) -> Checked:
    """Judge a bar file. Raises DataError only when there is no such file to be read at all."""
    faults = Faults()
    refused = ""
    series: Series | None = None
    try:
        symbol, timeframe, columns = reading
        file = open_bars(path, symbol, None, timeframe, columns=columns)
        series, faults.rows = file.series, len(file.series)
    except DataError as error:
        if not path.exists():
            raise
        refused = str(error)
        series, faults = _roughly(path, reading)
    return _judge(str(path), series, faults, refused, now_ms, threshold_ppm)


def check_kept(
    store: BarStore, symbol: str, timeframe: str, now_ms: int, threshold_ppm: int
) -> Checked:
    """Judge kept bars. Raises DataError, UsageError as `show_kept`."""
    shown = show_kept(store, symbol, timeframe)
    kept = store.load(symbol, shown["timeframe"])
    assert kept is not None
    faults = Faults(rows=len(kept.series))
    return _judge(shown["path"], kept.series, faults, "", now_ms, threshold_ppm)


def _roughly(path: Path, reading: Reading) -> tuple[Series | None, Faults]:
    try:
        return read_roughly(path, *reading)
    except DataError:
        return None, Faults()  # why it was refused says what there is to say


def _judge(
    where: str, series: Series | None, faults: Faults, refused: str, now_ms: int, threshold_ppm: int
) -> Checked:
    looked = _survey(series, now_ms)
    faulty_ppm = _share(faults.faulty + looked.future, max(faults.rows, 1))
    doubtful_ppm = _share(looked.doubtful, max(looked.bars, 1))
    score = score_tenths(looked.completeness_ppm, faulty_ppm, doubtful_ppm)
    why = refused or _why(where, looked, threshold_ppm)
    row: dict[str, Any] = {
        "file": where,
        "symbol": series.symbol if series else "",
        "timeframe": step_name(series.step_ms) if series else "",
        "sound": not why,
        "why": why,
        "readable": not refused,
        "score": f"{score // 10}.{score % 10}",
        "score_rule": SCORE_RULE,
        "bars": looked.bars,
        "first_ms": series.open_ms[0] if series else -1,
        "last_ms": series.open_ms[-1] if series else -1,
        "tick": text(series.tick) if series else "",
        "expected": looked.expected,
        "missing": looked.missing,
        "completeness_ppm": looked.completeness_ppm,
        "threshold_ppm": threshold_ppm,
        "gaps": {"count": looked.gaps, "longest": _runs(looked.longest_gaps)},
        "rows": faults.rows,
        **faults.counts,
        "overlaps": faults.overlaps,
        "future": looked.future,
        "examples": faults.examples,
        "zero_volume": _still(looked.zero_volume, looked.still_runs),
        "flat": _still(looked.flat, looked.flat_runs),
        "outliers": _outliers(looked, series),
        "doubtful": looked.doubtful,
    }
    return Checked(row, series, looked, why)


def _survey(series: Series | None, now_ms: int) -> Survey:
    if series is None:
        return Survey(0, 0, 0, (), 0, (), 0, (), (), 0, 0)
    return survey(series, now_ms)


def _why(where: str, looked: Survey, threshold_ppm: int) -> str:
    if looked.future:
        return f"{where}: {looked.future} bars close after now; check the clock, or the time column"
    if looked.completeness_ppm < threshold_ppm:
        return (
            f"{where}: {looked.completeness_ppm / 10_000:.2f} % complete, below "
            f"{threshold_ppm / 10_000:g} %; fetch what is missing, or take a longer timeframe"
        )
    return ""


def _share(part: int, whole: int) -> int:
    """Millionths, rounded up: what is wrong is not made less."""
    return min(PPM, -(-part * PPM // whole))


def _runs(runs: Sequence[Run]) -> list[dict[str, int]]:
    return [{"from_ms": run.from_ms, "bars": run.bars} for run in runs]


def _still(bars: int, runs: Sequence[Run]) -> dict[str, Any]:
    longest = sorted(runs, key=lambda run: (-run.bars, run.from_ms))[:LISTED_MAX]
    return {"bars": bars, "runs": len(runs), "longest": _runs(longest)}


def _outliers(looked: Survey, series: Series | None) -> dict[str, Any]:
    tick = series.tick if series else Decimal(1)
    worst = sorted(looked.outliers, key=lambda one: (-one.ranges, one.open_ms))[:LISTED_MAX]
    rows = [
        {"open_ms": one.open_ms, "by": text(one.ticks * tick), "ranges": one.ranges}
        for one in worst
    ]
    return {"count": len(looked.outliers), "rule": OUTLIER_RULE, "worst": rows}

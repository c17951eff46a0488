"""A picture of bars: what is there, the prices, gaps and outliers, as one SVG file.

Lives here: the drawing, without any library, request or script; it reads in light and dark. Must
not live here: the judgement. A file is written aside and renamed, so that no half picture is left.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from html import escape
from pathlib import Path

from trader.app.data_check import Checked
from trader.bars.survey import Survey
from trader.cli.times import minute
from trader.core.series import Series
from trader.errors import UsageError
from trader.records import dataclass

WIDTH, HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 16, 64, 60
_COLUMNS = 430
_STYLE = """
svg { font: 13px system-ui, sans-serif; background: #fff; }
text { fill: #222; } .dim { fill: #666; } .frame { fill: none; stroke: #bbb; }
.range { fill: #9db8d9; } .close { fill: none; stroke: #1f5fa8; stroke-width: 1.2; }
rect { shape-rendering: crispEdges; }
.there { fill: #3d8f5f; } .gap { fill: #c62f2f; } .outlier { fill: none; stroke: #c62f2f; }
@media (prefers-color-scheme: dark) {
  svg { background: #14171a; } text { fill: #e6e6e6; } .dim { fill: #9aa0a6; }
  .frame { stroke: #444; } .range { fill: #35506f; } .close { stroke: #7db4f0; }
  .there { fill: #4fae78; } .gap { fill: #f06a6a; } .outlier { stroke: #f06a6a; }
}
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A part of the time: its bars, how many there could be, lowest, highest, last ticks."""

    bars: int
    expected: int
    low: int
    high: int
    last: int


def columns_of(series: Series, count: int) -> list[Column]:
    """The time from the first to the last bar in so many equal parts (fewer when there are fewer
    bars to expect)."""
    first, step_ms = series.open_ms[0], series.step_ms
    expected = (series.open_ms[-1] - first) // step_ms + 1
    count = min(count, expected)
    found: list[Column] = []
    start = 0
    for part in range(count):
        begin, end = part * expected // count, (part + 1) * expected // count
        stop = series.index_of(first + end * step_ms)
        if stop > start:
            low, high = min(series.low[start:stop]), max(series.high[start:stop])
            found.append(Column(stop - start, end - begin, low, high, series.close[stop - 1]))
        else:
            found.append(Column(0, end - begin, 0, 0, 0))
        start = stop
    return found


def write_picture(path: Path, found: Checked) -> None:
    """Draw a judgement. Raises UsageError for another kind of file, OSError."""
    if path.suffix.lower() != ".svg":
        raise UsageError(f"--picture {path} is no SVG file", "name it FILE.svg")
    assert found.series is not None
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(draw(found.row, found.series, found.survey))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def draw(row: dict[str, object], series: Series, looked: Survey) -> str:
    """The SVG's text."""
    return "\n".join(_lines(row, series, looked)) + "\n"


def _lines(row: dict[str, object], series: Series, looked: Survey) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(str(row["symbol"]))} bars">'
    )
    yield f"<style>{_STYLE}</style>"
    title = f"{row['symbol']} {row['timeframe']}: score {row['score']} of 100"
    yield f'<text x="{_LEFT}" y="26" font-weight="600" font-size="16">{escape(title)}</text>'
    said = (
        f"{looked.bars:,} of {looked.expected:,} bars, {looked.gaps:,} gaps, "
        f"{len(looked.outliers):,} outliers"
    )
    yield f'<text class="dim" x="{_LEFT}" y="46">{said}</text>'
    yield from _prices(series, looked)
    yield from _presence(series)
    yield "</svg>"


def _prices(series: Series, looked: Survey) -> Iterator[str]:
    columns = columns_of(series, _COLUMNS)
    full = [one for one in columns if one.bars]
    low, high = min(one.low for one in full), max(one.high for one in full)
    wide = (WIDTH - _LEFT - _RIGHT) / len(columns)
    tall = HEIGHT - _TOP - _BOTTOM - 34

    def y_of(ticks: int) -> float:
        return _TOP + tall * (high - ticks) / max(1, high - low)

    yield f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{WIDTH - _LEFT - _RIGHT}" '
    yield f'height="{tall}"/>'
    line: list[str] = []
    for index, one in enumerate(columns):
        x = _LEFT + index * wide
        if not one.bars:
            line.append("")
            continue
        top, bottom = y_of(one.high), y_of(one.low)
        yield f'<rect class="range" x="{x:.2f}" y="{top:.2f}" width="{max(wide, 1):.2f}" '
        yield f'height="{max(1.0, bottom - top):.2f}"/>'
        line.append(f"{x + wide / 2:.2f},{y_of(one.last):.2f}")
    for points in _unbroken(line):
        yield f'<polyline class="close" points="{points}"/>'
    span = max(1, series.open_ms[-1] - series.open_ms[0])
    for outlier in looked.outliers[:200]:
        x = _LEFT + (WIDTH - _LEFT - _RIGHT) * (outlier.open_ms - series.open_ms[0]) / span
        bar = series.index_of(outlier.open_ms)
        y = y_of((series.high[bar] + series.low[bar]) // 2)
        yield f'<circle class="outlier" cx="{x:.2f}" cy="{y:.2f}" r="5"/>'
    for ticks, y in ((high, _TOP + 12), (low, _TOP + tall)):
        price = f"{ticks * series.tick:f}"
        yield f'<text class="dim" x="{_LEFT - 8}" y="{y}" text-anchor="end">{price}</text>'


def _presence(series: Series) -> Iterator[str]:
    """Green as high as bars are there, red where some are missing."""
    columns = columns_of(series, _COLUMNS)
    wide = (WIDTH - _LEFT - _RIGHT) / len(columns)
    top, tall = HEIGHT - _BOTTOM - 18, 18
    yield f'<text class="dim" x="{_LEFT - 8}" y="{top + 13}" text-anchor="end">there</text>'
    for index, one in enumerate(columns):
        share = one.bars / one.expected
        x = _LEFT + index * wide
        if share < 1:
            yield f'<rect class="gap" x="{x:.2f}" y="{top}" width="{wide:.2f}" height="{tall}"/>'
        yield f'<rect class="there" x="{x:.2f}" y="{top + tall * (1 - share):.2f}" '
        yield f'width="{wide:.2f}" height="{tall * share:.2f}"/>'
    below = HEIGHT - _BOTTOM + 20
    first, last = minute(series.open_ms[0]), minute(series.open_ms[-1])
    yield f'<text class="dim" x="{_LEFT}" y="{below}">{first}</text>'
    yield f'<text class="dim" x="{WIDTH - _RIGHT}" y="{below}" text-anchor="end">{last}</text>'


def _unbroken(points: list[str]) -> Iterator[str]:
    """Runs of points without a hole: no line is drawn where there are no bars."""
    run: list[str] = []
    for point in [*points, ""]:
        if point:
            run.append(point)
            continue
        if run:
            yield " ".join(run)
        run = []

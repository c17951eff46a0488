"""The heat map of a sweep: a metric over two of its parameters, as data and as a picture.

Lives here: means over the cells, colours, SVG, and the page around it. A cell is the mean over all
other parameters, not their best: what is looked for is a plateau, the best of many is luck. Must
not live here: the terminal's table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import floor, fsum, log10
from typing import Any

from trader.app.sweeping_results import count_line
from trader.app.sweeping_rows import NAMES, SHARES, TrialRow
from trader.app.sweeping_trials import Axis
from trader.errors import UsageError
from trader.records import dataclass

# Viridis, five of its colours: even to the eye, also without green and red, and in grey.
_STOPS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_CELL_W, _CELL_H, _LEFT, _TOP, _BOTTOM, _RIGHT = 46, 26, 96, 56, 62, 18
_SVG_STYLE = """<style>
text{font:12px sans-serif;fill:#333}.t{font-weight:600;font-size:14px}
.n{font-size:11px;text-anchor:middle}.r{text-anchor:end}.m{text-anchor:middle}
@media(prefers-color-scheme:dark){text{fill:#ddd}}text.d{fill:#111}text.l{fill:#fff}
</style>"""
# Beyond so many cells a side their numbers cannot be read, and beyond those not their colours.
TOLD_MAX, DRAWN_MAX, DIGITS_MAX = 24, 200, 6


@dataclass(frozen=True, slots=True)
class Heat:
    """`cells[row][column]`: the mean of the metric, None where no trial has one; rows are values of
    `down`, columns of `across`. `others`: parameters that a cell is the mean over."""

    metric: str
    across: Axis
    down: Axis
    cells: tuple[tuple[float | None, ...], ...]
    others: tuple[str, ...]

    @property
    def span(self) -> tuple[float, float]:
        """The least and the largest mean; (0, 0) when there is none."""
        known = [value for row in self.cells for value in row if value is not None]
        return (min(known), max(known)) if known else (0.0, 0.0)

    def told(self, value: float | None) -> str:
        """A mean with as many digits as tell it from the others; `.` where there is none."""
        if value is None:
            return "."
        times = 100.0 if self.metric in SHARES else 1.0
        low, high = self.span
        apart = (high - low) * times or abs(high) * times or 1.0
        digits = min(max(1 - floor(log10(apart)), 0), DIGITS_MAX)
        shown = f"{value * times:.{digits}f}"
        return shown[1:] if shown == f"-{0:.{digits}f}" else shown

    def place(self, value: float) -> float:
        """Where a mean lies between the least, 0, and the largest, 1."""
        low, high = self.span
        return (value - low) / (high - low) if high > low else 0.5


def build_heat(
    axes: Sequence[Axis], rows: Iterable[TrialRow], metric: str, names: Sequence[str]
) -> Heat:
    """The means over two axes; `names`: which two, or none: the two that have most values.

    Raises UsageError.
    """
    across, down = (axes.index(axis) for axis in _chosen(axes, names))
    at = NAMES.index(metric)
    columns = {value: number for number, value in enumerate(axes[across].values)}
    lines = {value: number for number, value in enumerate(axes[down].values)}
    found: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        value = row.metrics[at]
        if value is not None:
            cell = (lines[row.values[down]], columns[row.values[across]])
            found.setdefault(cell, []).append(float(value))
    means = tuple(
        tuple(_mean(found.get((line, column))) for column in range(len(columns)))
        for line in range(len(lines))
    )
    others = tuple(
        axis.parameter
        for number, axis in enumerate(axes)
        if number not in {across, down} and len(axis.values) > 1
    )
    return Heat(metric, axes[across], axes[down], means, others)


def _chosen(axes: Sequence[Axis], names: Sequence[str]) -> tuple[Axis, Axis]:
    if not names:
        wide = sorted(axes, key=lambda axis: -len(axis.values))[:2]
        if len(wide) < 2 or len(wide[1].values) < 2:
            raise UsageError("a heat map needs two swept parameters", "sweep another one")
        down, across = sorted(wide, key=list(axes).index)
        return across, down
    found = [_named(axes, name) for name in names]
    if len(found) != 2 or found[0] == found[1]:
        raise UsageError("a heat map has two parameters", "write --heat fast,slow")
    return found[0], found[1]


def _named(axes: Sequence[Axis], name: str) -> Axis:
    known = [axis for axis in axes if name in {axis.name, axis.parameter}]
    if len(known) == 1:
        return known[0]
    told = ", ".join(axis.name for axis in axes)
    raise UsageError(f"--heat {name!r} is not a swept parameter", f"swept are: {told}")


def _mean(values: list[float] | None) -> float | None:
    return fsum(values) / len(values) if values else None


def colour(place: float) -> tuple[int, int, int]:
    """Red, green, blue of a place between 0 and 1."""
    at = max(0.0, min(1.0, place)) * (len(_STOPS) - 1)
    number = min(int(at), len(_STOPS) - 2)
    share = at - number
    one, other = _STOPS[number], _STOPS[number + 1]
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def hexed(rgb: tuple[int, int, int]) -> str:
    """As pictures write it."""
    return f"#{rgb[0]:02x}{rgb[1]:02x}{rgb[2]:02x}"


def is_light(rgb: tuple[int, int, int]) -> bool:
    """Whether dark writing can be read on it."""
    return 299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] > 128_000


def caption(heat: Heat) -> str:
    """What the map shows, in a line."""
    unit = " in %" if heat.metric in SHARES else ""
    words = f"{heat.metric}{unit}: {heat.down.name} down, {heat.across.name} across"
    return words + (f", mean over {', '.join(heat.others)}" if heat.others else "")


def svg(heat: Heat) -> str:
    """The map as one SVG picture that needs nothing else. Raises UsageError for one too large."""
    wide, high = len(heat.across.values), len(heat.down.values)
    if max(wide, high) > DRAWN_MAX:
        raise UsageError(f"a map of {wide} x {high} cells cannot be drawn", "take larger steps")
    told = max(wide, high) <= TOLD_MAX
    cell_w = _CELL_W if told else 14
    cell_h = _CELL_H if told else 14
    width = max(_LEFT + wide * cell_w + _RIGHT, 420)
    height = _TOP + high * cell_h + _BOTTOM
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        f'width="{width}" height="{height}" role="img"',
        f'aria-label="{escape(caption(heat), quote=True)}">',
        _SVG_STYLE,
        f'<text class="t" x="12" y="22">{escape(heat.metric)}</text>',
        f'<text x="12" y="42">{escape(caption(heat))}</text>',
    ]
    lines += _labels(heat, cell_w, cell_h)
    for line, row in enumerate(heat.cells):
        for column, value in enumerate(row):
            corner = (_LEFT + column * cell_w, _TOP + line * cell_h)
            lines += _cell(heat, value, corner, (cell_w, cell_h), (line, column), told=told)
    lines += _legend(heat, _TOP + high * cell_h + 34)
    return "\n".join([*lines, "</svg>", ""])


def _cell(
    heat: Heat,
    value: float | None,
    corner: tuple[int, int],
    size: tuple[int, int],
    at: tuple[int, int],
    *,
    told: bool,
) -> list[str]:
    if value is None:
        return []
    rgb = colour(heat.place(value))
    x, y = corner
    title = (
        f"{heat.down.parameter} {heat.down.values[at[0]]}, "
        f"{heat.across.parameter} {heat.across.values[at[1]]}: {value:.6g}"
    )
    found = [
        f'<rect x="{x}" y="{y}" width="{size[0] - 1}" height="{size[1] - 1}"',
        f'fill="{hexed(rgb)}"><title>{escape(title)}</title></rect>',
    ]
    if told:
        kind = "n d" if is_light(rgb) else "n l"
        middle = (x + size[0] // 2, y + size[1] // 2 + 4)
        found.append(
            f'<text class="{kind}" x="{middle[0]}" y="{middle[1]}">{heat.told(value)}</text>'
        )
    return found


def _labels(heat: Heat, cell_w: int, cell_h: int) -> list[str]:
    lines: list[str] = []
    rows = -(-14 // cell_h)
    for number, value in enumerate(heat.down.values):
        if number % rows == 0:
            y = _TOP + number * cell_h + cell_h // 2 + 4
            lines.append(f'<text class="r" x="{_LEFT - 8}" y="{y}">{value}</text>')
    bottom = _TOP + len(heat.down.values) * cell_h + 16
    longest = max(len(value) for value in heat.across.values)
    every = -(-(longest * 7 + 6) // cell_w)
    for number, value in enumerate(heat.across.values):
        if number % every == 0:
            x = _LEFT + number * cell_w + cell_w // 2
            lines.append(f'<text class="m" x="{x}" y="{bottom}">{value}</text>')
    return lines


def _legend(heat: Heat, y: int) -> list[str]:
    low, high = heat.span
    lines = [f'<text class="r" x="{_LEFT - 8}" y="{y + 11}">{heat.told(low)}</text>']
    for step in range(40):
        rgb = colour(step / 39)
        lines.append(
            f'<rect x="{_LEFT + step * 5}" y="{y}" width="5" height="14" fill="{hexed(rgb)}"/>'
        )
    return [*lines, f'<text x="{_LEFT + 208}" y="{y + 11}">{heat.told(high)}</text>']


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1180px;padding:16px;color:#222;
background:#fff}h1{font-size:20px}h2{font-size:16px}div{overflow-x:auto}
table{border-collapse:collapse}
th,td{padding:3px 10px;text-align:right;white-space:nowrap;border-bottom:1px solid #8884}
.w{padding:8px 12px;background:#fbe9c6;color:#4a3200;border-radius:6px}small{color:#777}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#ddd}.w{background:#4a3a12;
color:#f3e3bd}}
"""


def page(report: dict[str, Any], heat: Heat | None) -> str:
    """One HTML file, no network: the count, the map, the best trials, what was assumed."""
    axes = list(report["axes"])
    names = ["trial", *(axis.partition(".")[2] for axis in axes), *NAMES]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(_line(row) for row in report["best"])
    assumed = "".join(f"<li>{escape(line)}</li>" for line in report["assumed"])
    where = f"; only where {' and '.join(report['where'])}" if report["where"] else ""
    drawn = f"<div>{svg(heat)}</div>" if heat is not None else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Sweep {escape(report['id'])}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>Sweep {escape(report['id'])}</h1>\n<p class=w>{escape(count_line(report))}.</p>\n"
        f"<p>{escape(report['how'])} over {escape(', '.join(axes))}{escape(where)}.</p>\n{drawn}\n"
        f"<h2>Best by {escape(report['by'])}</h2>\n<div><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>\n<h2>Assumed</h2>\n<ul>{assumed}</ul>\n"
        "</body></html>\n"
    )


def _line(row: dict[str, Any]) -> str:
    told = [str(row["trial"]), *row["values"].values()]
    told += ["" if value is None else str(value) for value in row["metrics"].values()]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in told) + "</tr>"

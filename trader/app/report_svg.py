"""Charts as inline SVG with axes in HTML: they stretch with the page, their words do not.

Lives here: turning marks into paths. Must not live here: colours (`report_style`), what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from trader.app.report_axes import SIZE, Ticks
from trader.app.report_charts import Chart, Mark, Point


def figure(chart: Chart) -> str:
    """A chart with its caption, axes and legend."""
    name = "chart-" + "".join(c if c.isalnum() else "-" for c in chart.key)
    legend = "".join(
        f'<li><i class="{mark.role}"></i>{escape(mark.label)}</li>'
        for mark in chart.marks
        if mark.label
    )
    shown = f'<ul class="legend">{legend}</ul>' if legend else ""
    return (
        f'<figure id="{name}"><figcaption>{escape(chart.title)}'
        f"<span>{escape(chart.says)} ({escape(chart.note)})</span></figcaption>"
        f'<div class="chart"><div class="axis y" aria-hidden="true">{_labels(chart.y_ticks, "top")}'
        f'</div><div class="plot" style="height:{chart.height}px">'
        f'<svg viewBox="0 0 {SIZE} {SIZE}" preserveAspectRatio="none" role="img" '
        f'aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{escape(chart.title)}</title>'
        f'<desc id="{name}-d">{escape(chart.says)}</desc>{_grid(chart.y_ticks)}'
        f"{''.join(_path(mark) for mark in chart.marks)}</svg></div>"
        f'<div class="axis x" aria-hidden="true">{_labels(chart.x_ticks, "left")}</div></div>'
        f"{shown}</figure>\n"
    )


def _labels(ticks: Ticks, side: str) -> str:
    return "".join(
        f'<span{_edge(at, side)} style="{side}:{at * 100 / SIZE:.2f}%">{escape(text)}</span>'
        for at, text in ticks
    )


def _edge(at: int, side: str) -> str:
    """A label at the very left or right must not leave the page."""
    if side == "left" and at < SIZE // 12:
        return ' class="first"'
    if side == "left" and at > SIZE - SIZE // 12:
        return ' class="last"'
    return ""


def _grid(ticks: Ticks) -> str:
    path = "".join(f"M0 {at}H{SIZE}" for at, _ in ticks)
    return f'<path class="grid" d="{path}"/>' if path else ""


def _path(mark: Mark) -> str:
    return f'<path class="{mark.kind} {mark.role}" d="{path_of(mark.kind, mark.points)}"/>'


def path_of(kind: str, points: Sequence[Point]) -> str:
    """The data of one path."""
    if kind == "dots":
        return "".join(f"M{x} {y}h0" for x, y in points)
    if kind == "ties":
        pairs = zip(points[::2], points[1::2], strict=True)
        return "".join(f"M{a} {b}L{c} {d}" for (a, b), (c, d) in pairs)
    if kind == "bars":
        pairs = zip(points[::2], points[1::2], strict=True)
        return "".join(f"M{a} {b}H{c}V{d}H{a}z" for (a, b), (c, d) in pairs)
    (x, y), rest = points[0], points[1:]
    return f"M{x} {y}L" + " ".join(f"{x} {y}" for x, y in rest) + ("z" if kind == "area" else "")

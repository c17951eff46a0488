"""A back-test's report as one picture: its figures and the charts of the page, drawn with Pillow.

Lives here: laying marks out on pixels, twice as large and then halved, so that strokes are smooth.
Must not live here: what is drawn (`report_charts`), numbers. Pillow is an optional part (`png`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from trader.app.backtest_report import rounded
from trader.app.report_axes import SIZE
from trader.app.report_charts import Chart, Mark, Point, build_charts
from trader.errors import UsageError

WIDTH, MARGIN, LEFT = 1200, 32, 110
TWICE = 2
HEAD, TITLE, FOOT, LEGEND = 150, 48, 34, 24
INK, MUTE, RULE, GRID, PAPER = "#16191d", "#56606b", "#c3cad2", "#e4e8ec", "#ffffff"
COLOURS = {
    "equity": "#1a5fb4", "hold": "#9a5b00", "price": "#46515c", "gain": "#17703a",
    "loss": "#b3261e", "buy": "#1a5fb4", "base": "#56606b",
}  # fmt: skip
PALE = {"loss": "#efcfcd", "hold": "#eadcc8", "equity": "#cfdff0"}


def check_pillow() -> Any:
    """Pillow's modules of images, strokes and fonts; raises UsageError where it is not installed.

    By name, so that neither an installation nor its checks need the 22 MB.
    """
    try:
        return tuple(import_module(f"PIL.{name}") for name in ("Image", "ImageDraw", "ImageFont"))
    except ImportError as error:
        raise UsageError(
            "--png needs Pillow, which is not installed",
            "pip install pillow (the extra `png`), or use --html",
        ) from error


def build_picture(report: Mapping[str, Any]) -> bytes:
    """The picture as PNG."""
    images, strokes, fonts = check_pillow()
    charts = build_charts(report)
    height = HEAD + sum(_height(chart) for chart in charts) + MARGIN
    image = images.new("RGB", (WIDTH * TWICE, height * TWICE), PAPER)
    sheet = _Sheet(strokes.Draw(image), fonts)
    _head(sheet, report)
    top = HEAD
    for chart in charts:
        _chart(sheet, chart, top)
        top += _height(chart)
    small = image.resize((WIDTH, height), images.Resampling.BOX)
    stored = io.BytesIO()
    small.quantize(256, dither=images.Dither.NONE).save(stored, "PNG", optimize=False)
    return stored.getvalue()


def _height(chart: Chart) -> int:
    return TITLE + chart.height + FOOT + (LEGEND if any(m.label for m in chart.marks) else 0)


class _Sheet:
    """Drawing in points of the finished picture."""

    def __init__(self, draw: Any, fonts: Any) -> None:
        self.draw = draw
        self._fonts = fonts
        self._sized: dict[int, Any] = {}

    def text(self, x: float, y: float, said: str, size: int = 13, colour: str = INK,
             anchor: str = "lm") -> None:  # fmt: skip
        """Words at a point."""
        font = self._sized.get(size)
        if font is None:
            font = self._sized[size] = self._fonts.load_default(size * TWICE)
        self.draw.text((x * TWICE, y * TWICE), said, fill=colour, font=font, anchor=anchor)

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1.5) -> None:
        """A stroke."""
        flat = [(x * TWICE, y * TWICE) for x, y in points]
        self.draw.line(flat, fill=colour, width=round(width * TWICE), joint="curve")

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """A filled shape."""
        self.draw.polygon([(x * TWICE, y * TWICE) for x, y in points], fill=colour)

    def box(self, x: float, y: float, right: float, bottom: float, colour: str) -> None:
        """A filled rectangle."""
        self.draw.rectangle([x * TWICE, y * TWICE, right * TWICE, bottom * TWICE], fill=colour)

    def dot(self, x: float, y: float, colour: str, radius: float = 3.5) -> None:
        """A filled circle."""
        self.draw.ellipse(
            [(x - radius) * TWICE, (y - radius) * TWICE, (x + radius) * TWICE,
             (y + radius) * TWICE],
            fill=colour,
        )  # fmt: skip


def _head(sheet: _Sheet, report: Mapping[str, Any]) -> None:
    account, metrics, span = report["account"], report["metrics"], report["range"]
    symbols = [row["symbol"] for row in report["market"]]
    more = f" and {len(symbols) - 6} more" if len(symbols) > 6 else ""
    sheet.text(MARGIN, 40, f"Back-test of {', '.join(symbols[:6])}{more}", 22)
    sheet.text(
        MARGIN,
        68,
        f"{span['first_open']} to {span['last_close']}, {span['decision_bars']:,} decision bars "
        f"of {span['timeframe']}",
        13,
        MUTE,
    )
    rows = [
        (f"final equity, {account['quote']}", rounded(account["final_equity"])),
        ("total return", _share(metrics["total_return"])),
        ("max drawdown", _share(metrics["max_drawdown"])),
        ("Sharpe", _ratio(metrics["sharpe"])),
        ("profit factor", _ratio(metrics["profit_factor"])),
        (f"fees, {account['quote']}", rounded(account["fees"])),
    ]
    step = (WIDTH - 2 * MARGIN) / len(rows)
    for at, (name, value) in enumerate(rows):
        sheet.text(MARGIN + at * step, 102, name, 13, MUTE)
        sheet.text(MARGIN + at * step, 124, value, 18)


def _share(value: str | None) -> str:
    return "-" if value is None else f"{float(value) * 100:.2f} %"


def _ratio(value: str | None) -> str:
    return "-" if value is None else f"{float(value):.2f}"


def _chart(sheet: _Sheet, chart: Chart, top: int) -> None:
    sheet.text(MARGIN, top + 14, chart.title, 15)
    sheet.text(MARGIN, top + 34, f"{chart.says} ({chart.note})", 12, MUTE)
    top += TITLE
    wide, high = WIDTH - MARGIN - LEFT, chart.height

    def at(point: Point) -> tuple[float, float]:
        return LEFT + point[0] * wide / SIZE, top + point[1] * high / SIZE

    for place, said in chart.y_ticks:
        _, y = at((0, place))
        sheet.line([(LEFT, y), (LEFT + wide, y)], GRID, 1)
        sheet.text(LEFT - 8, y, said, 12, MUTE, "rm")
    for mark in chart.marks:
        _mark(sheet, mark, [at(point) for point in mark.points])
    sheet.line([(LEFT, top), (LEFT, top + high), (LEFT + wide, top + high)], RULE, 1)
    for place, said in chart.x_ticks:
        x, _ = at((place, 0))
        anchor = "l" if place < SIZE // 12 else "r" if place > SIZE - SIZE // 12 else "m"
        sheet.text(x, top + high + 14, said, 12, MUTE, f"{anchor}m")
    left = float(LEFT)
    for mark in chart.marks:
        if mark.label:
            sheet.box(left, top + high + 30, left + 12, top + high + 42, COLOURS[mark.role])
            sheet.text(left + 18, top + high + 36, mark.label, 12)
            left += 40 + 7 * len(mark.label)


def _mark(sheet: _Sheet, mark: Mark, points: list[tuple[float, float]]) -> None:
    colour = COLOURS[mark.role]
    if mark.kind == "line":
        sheet.line(points, colour, 1 if mark.role == "base" else 1.5)
    elif mark.kind == "area":
        sheet.area(points, PALE[mark.role])
        sheet.line(points, colour, 1)
    elif mark.kind == "dots":
        for x, y in points:
            sheet.dot(x, y, colour)
    else:
        for (x, y), (right, bottom) in zip(points[::2], points[1::2], strict=True):
            if mark.kind == "ties":
                sheet.line([(x, y), (right, bottom)], colour, 1)
            else:
                sheet.box(x, y, max(x, right), bottom, colour)

"""The charts of a report as marks on a square: drawn alike by the page and by the picture.

Lives here: what is drawn of which part of a report, with its axes and its words. Must not live
here: colours and layout (`report_html`, `report_png`), numbers of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trader.app.report_axes import (
    SIZE,
    Axis,
    Ticks,
    count_ticks,
    short,
    time_ticks,
    value_axis,
    value_ticks,
)
from trader.records import dataclass

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn.

    Attributes:
        kind: `line` (one stroke through the points), `area` (down to the last point's y, closed),
            `dots`, `ties` (a stroke for each two points) or `bars` (each two points are corners).
        role: what it is, which chooses its colour. label: what the legend calls it, "" for none.
    """

    kind: str
    role: str
    points: tuple[Point, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `says`: in words, for who cannot see it; `note`: what is drawn, and what not."""

    key: str
    title: str
    says: str
    note: str
    x_ticks: Ticks
    y_ticks: Ticks
    marks: tuple[Mark, ...]
    height: int = 260


def build_charts(report: Mapping[str, Any]) -> list[Chart]:
    """Every chart of a report, in the order in which they matter."""
    charts = [equity_chart(report), drawdown_chart(report), exposure_chart(report)]
    charts += [price_chart(report, row) for row in report["series"]["prices"]]
    if report["series"]["distribution"]["bins"]:
        charts.append(distribution_chart(report))
    return charts


def _times(report: Mapping[str, Any]) -> Axis:
    return Axis(report["range"]["first_open_ms"], report["range"]["last_close_ms"])


def _time_ticks(report: Mapping[str, Any]) -> Ticks:
    return time_ticks(report["range"]["first_open_ms"], report["range"]["last_close_ms"])


def thinned(points: int, bars: int) -> str:
    """What a curve of fewer points than bars leaves out."""
    if points >= bars:
        return f"all {bars:,} bars are drawn"
    return f"{points:,} of {bars:,} bars are drawn: the lowest and the highest of each stretch"


def equity_chart(report: Mapping[str, Any]) -> Chart:
    """Equity, and what holding would have been where that was asked for."""
    account = report["account"]
    found = report["series"]["equity"]
    beside: dict[str, Any] = report["buy_and_hold"] or {}
    hold: list[tuple[int, str, str]] = beside["equity"]["points"] if "equity" in beside else []
    start = (report["range"]["first_open_ms"], float(account["starting_balance"]))
    own = [start, *((at, float(cash)) for at, cash, _ in found["points"])]
    other = [start, *((at, float(cash)) for at, cash, _ in hold)] if hold else []
    x, y = _times(report), value_axis([value for _, value in (*own, *other)])
    level = y.place(start[1])
    marks = [Mark("line", "base", ((0, level), (SIZE, level)))]
    if other:
        marks.append(Mark("line", "hold", _line(other, x, y), "buying and holding"))
    marks.append(Mark("line", "equity", _line(own, x, y), "this run" if other else ""))
    quote = account["quote"]
    return Chart(
        "equity",
        f"Equity, {quote}",
        f"Equity went from {_number(account['starting_balance'])} to "
        f"{_number(account['final_equity'])} {quote}.",
        thinned(len(found["points"]), found["bars"]),
        _time_ticks(report),
        value_ticks(y),
        tuple(marks),
        300,
    )


def _line(rows: Sequence[tuple[int, float]], x: Axis, y: Axis) -> tuple[Point, ...]:
    return tuple((x.place(at), y.place(value)) for at, value in rows)


def _number(text: str) -> str:
    return f"{float(text):,.2f}"


def drawdown_chart(report: Mapping[str, Any]) -> Chart:
    """How far equity was below its highest."""
    found = report["series"]["equity"]
    rows = [(at, -float(fallen)) for at, _, fallen in found["points"]]
    x, y = _times(report), value_axis([value for _, value in rows], zero=True)
    top = y.place(0.0)
    points = ((0, top), *_line(rows, x, y), (x.place(rows[-1][0]), top))
    metrics = report["metrics"]
    deepest = float(metrics["max_drawdown"]) * 100
    return Chart(
        "drawdown",
        "Drawdown: below the highest equity so far",
        f"The deepest fall was {deepest:.2f} %, from {metrics['max_drawdown_peak']} to "
        f"{metrics['max_drawdown_trough']}.",
        thinned(len(found["points"]), found["bars"]),
        _time_ticks(report),
        value_ticks(y, "%"),
        (Mark("area", "loss", points),),
        160,
    )


def exposure_chart(report: Mapping[str, Any]) -> Chart:
    """How many positions were held."""
    found = report["series"]["positions"]
    x, y = _times(report), Axis(0.0, max(1, found["most"]) * 1.08, down=True)
    base = y.place(0.0)
    points: list[Point] = [(0, base)]
    for at, count in found["points"]:
        points += [(x.place(at), points[-1][1]), (x.place(at), y.place(count))]
    points += [(SIZE, points[-1][1]), (SIZE, base)]
    exposure = report["metrics"]["exposure"]
    share = "-" if exposure is None else f"{float(exposure) * 100:.1f} %"
    return Chart(
        "exposure",
        "Exposure: positions held at a time",
        f"At most {found['most']} at a time; anything was held at {share} of the decision bars.",
        f"the most of each of {len(found['points'])} equal stretches",
        _time_ticks(report),
        count_ticks(y),
        (Mark("area", "hold", tuple(points)),),
        130,
    )


def price_chart(report: Mapping[str, Any], row: Mapping[str, Any]) -> Chart:
    """Closes of an instrument with the round trips on them."""
    closes = [(at, float(price)) for at, price in row["points"]]
    trips = row["marks"]
    ends = [float(t["first_price"]) for t in trips]
    ends += [float(t["last_price"]) for t in trips if t["closed_ms"] is not None]
    x, y = _times(report), value_axis([*(value for _, value in closes), *ends])
    buys = tuple((x.place(t["opened_ms"]), y.place(float(t["first_price"]))) for t in trips)
    marks = [Mark("line", "price", _line(closes, x, y), "close")]
    closed = [t for t in trips if t["closed_ms"] is not None]
    for role, label in (("gain", "sale, won"), ("loss", "sale, lost")):
        some = [t for t in closed if (float(t["result"]) > 0) == (role == "gain")]
        if some:
            marks += [
                Mark("ties", role, tuple(point for t in some for point in _ends(t, x, y))),
                Mark("dots", role, tuple(_ends(t, x, y)[1] for t in some), label),
            ]
    if buys:
        marks.append(Mark("dots", "buy", buys, "buy"))
    note = thinned(len(closes), row["bars"])
    if row["round_trips"] > len(trips):
        note += (
            f"; {len(trips)} of {row['round_trips']:,} round trips: those with the largest results"
        )
    return Chart(
        f"price-{row['symbol']}",
        f"Round trips on the price of {row['symbol']}",
        f"{row['round_trips']:,} round trips; {len(trips)} are drawn.",
        note,
        _time_ticks(report),
        value_ticks(y),
        tuple(marks),
        300,
    )


def _ends(trip: Mapping[str, Any], x: Axis, y: Axis) -> tuple[Point, Point]:
    return (
        (x.place(trip["opened_ms"]), y.place(float(trip["first_price"]))),
        (x.place(trip["closed_ms"]), y.place(float(trip["last_price"]))),
    )


def distribution_chart(report: Mapping[str, Any]) -> Chart:
    """How many round trips came to which share of their cost."""
    bins = report["series"]["distribution"]["bins"]
    low, high = float(bins[0]["from"]), float(bins[-1]["to"])
    x = Axis(low, high)
    most = max(row["round_trips"] for row in bins)
    y = Axis(0.0, most * 1.08, down=True)
    gap = SIZE // len(bins) // 12
    marks: list[Mark] = []
    for role in ("loss", "gain"):
        corners: list[Point] = []
        for row in bins:
            if row["round_trips"] and (float(row["from"]) >= -1e-9) == (role == "gain"):
                left, right = x.place(float(row["from"])), x.place(float(row["to"]))
                corners += [(left + gap, y.place(row["round_trips"])), (right - gap, SIZE)]
        if corners:
            label = "lost" if role == "loss" else "won, or came out even"
            marks.append(Mark("bars", role, tuple(corners), label))
    total = sum(row["round_trips"] for row in bins)
    step = float(report["series"]["distribution"]["step"]) * 100
    x_ticks = tuple((SIZE - at, text) for at, text in value_ticks(Axis(low, high, down=True), "%"))
    return Chart(
        "distribution",
        "Results of round trips, share of their cost",
        f"{total:,} closed round trips in steps of {short(step, 2)} %.",
        "the first and the last bar count what lies beyond, too",
        x_ticks,
        count_ticks(y),
        tuple(marks),
        220,
    )

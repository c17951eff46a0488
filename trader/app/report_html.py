"""A back-test's report as one page: no script, nothing fetched, everything inside.

Lives here: sections and tables of the page. Each figure names the place in the JSON that it comes
from (`data-k`) and its exact text there (`data-v`). Must not live here: numbers of its own, charts
(`report_svg`), colours (`report_style`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from trader.app.backtest_report import rounded
from trader.app.report_axes import MONTHS
from trader.app.report_charts import build_charts
from trader.app.report_style import STYLE
from trader.app.report_svg import figure

Report = Mapping[str, Any]
Show = Callable[[Any], str]
# A month this good or bad has the deepest colour.
HEAT_FULL = 0.20
# No script may run and nothing may be asked for, whatever a name in the report says.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
METRICS: tuple[tuple[str, str, str], ...] = (
    ("total_return", "Total return", "%"),
    ("cagr", "CAGR", "%"),
    ("sharpe", "Sharpe", ""),
    ("sortino", "Sortino", ""),
    ("calmar", "Calmar", ""),
    ("volatility", "Volatility", "%"),
    ("max_drawdown", "Max drawdown", "%"),
    ("profit_factor", "Profit factor", ""),
    ("expectancy", "Expectancy", ""),
    ("expectancy_share", "Expectancy of its cost", "%"),
    ("win_rate", "Win rate", "%"),
    ("exposure", "Exposure", "%"),
    ("turnover", "Turnover", ""),
    ("market_change", "Market change", "%"),
)


def build_page(report: Report) -> str:
    """The whole page; `report` may lack its round trips."""
    symbols = ", ".join(row["symbol"] for row in report["market"])
    title = f"Back-test of {symbols}"
    charts = {chart.key: figure(chart) for chart in build_charts(report)}
    prices = "".join(text for key, text in charts.items() if key.startswith("price-"))
    parts = [
        _head(title, report),
        _tiles(report),
        _assumed(report),
        charts["equity"],
        charts["drawdown"],
        charts["exposure"],
        _months(report),
        _metrics(report),
        '<div class="pair">',
        *(_groups(report, key, title) for key, title in _GROUPS),
        "</div>",
        charts.get("distribution", ""),
        f'<section aria-label="Round trips on prices">{prices}</section>',
        _open(report),
        '<div class="pair">',
        *(_codes(report, key, title) for key, title in _CODES),
        "</div>",
        _foot(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body><main>\n{''.join(parts)}</main></body></html>\n"
    )


_GROUPS = (
    ("instruments", "By instrument"),
    ("strategies", "By strategy"),
    ("exit_reasons", "By exit reason"),
)
_CODES = (
    ("refusals", "Refusals: how often each rule said no"),
    ("quiet", "Quiet: how often nothing was asked for"),
    ("universe", "Universe: candidates in and out, the regime"),
)


def plain(value: Any) -> str:
    """As it is."""
    return str(value)


def count(value: Any) -> str:
    """Thousands apart."""
    return f"{value:,}"


def cash(value: str | None) -> str:
    """Two decimals."""
    return "-" if value is None else rounded(value)


def share(value: str | None) -> str:
    """A share in per cent."""
    return "-" if value is None else f"{float(value) * 100:.2f} %"


def ratio(value: str | None) -> str:
    """Two decimals, or -."""
    return "-" if value is None else f"{float(value):,.2f}"


def told(key: str, value: Any, show: Show, tag: str = "td", names: str = "") -> str:
    """A figure, which says where in the JSON it is from."""
    shown = show(value)
    kind = f' class="{names}"' if names else ""
    raw = "" if value is None else str(value)
    return f'<{tag} data-k="{escape(key)}" data-v="{escape(raw)}"{kind}>{escape(shown)}</{tag}>'


def _sign(value: str | None) -> str:
    """Which colour a result has."""
    number = float(value or 0)
    return "gain" if number > 0 else "loss" if number < 0 else ""


def _moment(text: str | None) -> str:
    return "-" if not text else text.replace("T", " ").removesuffix(":00Z")


def _head(title: str, report: Report) -> str:
    span = report["range"]
    bars = told("range.decision_bars", span["decision_bars"], count, "span")
    return (
        f"<h1>{escape(title)}</h1><p class='mute'>{_moment(span['first_open'])} to "
        f"{_moment(span['last_close'])} UTC, "
        f"{bars} decision bars of {escape(span['timeframe'])}</p>\n"
    )


def _tiles(report: Report) -> str:
    account, metrics = report["account"], report["metrics"]
    quote = account["quote"]
    trips = sum(row["round_trips"] for row in report["instruments"])
    rows: list[tuple[str, str, Any, Show, bool]] = [
        (f"Final equity, {quote}", "account.final_equity", account["final_equity"], cash, False),
        ("Total return", "metrics.total_return", metrics["total_return"], share, True),
        ("Max drawdown", "metrics.max_drawdown", metrics["max_drawdown"], share, False),
        ("Sharpe", "metrics.sharpe", metrics["sharpe"], ratio, False),
        ("Profit factor", "metrics.profit_factor", metrics["profit_factor"], ratio, False),
        (f"Fees, {quote}", "account.fees", account["fees"], cash, False),
        ("Executions", "orders.fills", report["orders"]["fills"], count, False),
    ]
    tiles = "".join(
        f"<li><span>{escape(name)}</span>"
        f"{told(key, value, show, 'b', _sign(value) if signed else '')}</li>"
        for name, key, value, show, signed in rows
    )
    return (
        f'<ul class="tiles">{tiles}<li><span>Closed round trips</span><b>{trips:,}</b></li></ul>\n'
    )


def _assumed(report: Report) -> str:
    account, quote = report["account"], report["account"]["quote"]
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in report["assumed"])
    metrics = report["metrics"]
    rows = [
        _cost_row(
            "as assumed",
            ("account.final_equity", account["final_equity"]),
            ("metrics.total_return", metrics["total_return"]),
            ("metrics.max_drawdown", metrics["max_drawdown"]),
        )
    ]
    others: Sequence[Report] = report["costs"]["runs"] if report["costs"] else ()
    for at, row in enumerate(others):
        names = ("final_equity", "total_return", "max_drawdown")
        rows.append(_cost_row(row["name"], *((f"costs.runs.{at}.{n}", row[n]) for n in names)))
    hold = report["buy_and_hold"]
    if hold is not None:
        fallen = hold["metrics"]["max_drawdown"] if "metrics" in hold else None
        rows.append(
            _cost_row(
                "buying at the start and holding",
                ("buy_and_hold.final_equity", hold["final_equity"]),
                ("buy_and_hold.total_return", hold["total_return"]),
                ("buy_and_hold.metrics.max_drawdown", fallen),
            )
        )
    head = ("", f"final equity, {quote}", "return", "max drawdown")
    return (
        f"<h2>What was assumed</h2><ul class='said'>{said}</ul><h2>What costs make of it</h2>"
        f"{_table('Results at other costs', head, rows)}"
    )


def _cost_row(name: str, *found: tuple[str, Any]) -> str:
    shows = (cash, share, share)
    cells = "".join(
        told(key, value, show) if value is not None else "<td>-</td>"
        for (key, value), show in zip(found, shows, strict=True)
    )
    return f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'


def _table(label: str, head: Iterable[str], rows: Iterable[str], words: int = 1) -> str:
    """A table that scrolls inside itself where the page is narrow. `words`: columns to the left."""
    cells = "".join(
        f'<th scope="col"{" class=word" if at < words else ""}>{escape(name)}</th>'
        for at, name in enumerate(head)
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}"><table>'
        f"<thead><tr>{cells}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>\n"
    )


def _months(report: Report) -> str:
    months = report["series"]["monthly"]
    years: dict[str, dict[int, tuple[int, Any]]] = {}
    for at, row in enumerate(months):
        year, month = row["month"].split("-")
        years.setdefault(year, {})[int(month)] = (at, row["return"])
    rows: list[str] = []
    for year, found in years.items():
        cells = "".join(_month(found.get(month)) for month in range(1, 13))
        grown = 1.0
        for _, value in found.values():
            grown *= 1.0 + float(value or 0)
        rows.append(f'<tr><th scope="row">{year}</th>{cells}<td>{(grown - 1) * 100:.1f}</td></tr>')
    table = _table("Return by month, per cent", ("", *MONTHS, "year"), rows)
    return f"<h2>Return by month (UTC), %</h2>{table}"


def _month(found: tuple[int, Any] | None) -> str:
    if found is None or found[1] is None:
        return "<td>-</td>"
    at, value = found
    number = float(value)
    depth = min(5, 1 + int(abs(number) / HEAT_FULL * 5)) if number else 0
    colour = f'<i class="{_sign(value)} l{depth}"></i>' if depth else ""
    shown = f"{number * 100:.1f}"
    shown = shown.removeprefix("-") if float(shown) == 0 else shown
    return (
        f'<td class="heat" data-k="series.monthly.{at}.return" data-v="{value}">{colour}'
        f"<span>{shown}</span></td>"
    )


def _metrics(report: Report) -> str:
    found, why = report["metrics"], report["metrics_undefined"]
    beside: dict[str, Any] = report["buy_and_hold"] or {}
    held: Report = beside.get("metrics", {})
    ours = {"profit_factor", "expectancy", "expectancy_share", "win_rate", "market_change"}
    rows: list[str] = []
    for name, title, unit in METRICS:
        show = share if unit == "%" else ratio
        cells = told(f"metrics.{name}", found[name], show)
        if held:
            key = f"buy_and_hold.metrics.{name}"
            cells += told(key, held[name], show) if name not in ours else "<td>-</td>"
        text = report["conventions"].get(name, "")
        if found[name] is None:
            text = f"none: {why.get(name, '')}"
        rows.append(
            f'<tr><th scope="row">{escape(title)}</th>{cells}<td class="word mute">'
            f"{escape(text)}</td></tr>"
        )
    head = ("", "this run", *(("holding",) if held else ()), "how it is reckoned")
    table = _table("Metrics", head, rows)
    table = table.replace(
        '<th scope="col">how it is reckoned', '<th scope="col" class="word">how it is reckoned'
    )
    fall = ""
    if float(found["max_drawdown"]):
        back = found["max_drawdown_recovered"]
        fall = (
            f"<p>The deepest fall: {cash(found['max_drawdown_amount'])} "
            f"{escape(report['account']['quote'])}, from {_moment(found['max_drawdown_peak'])} to "
            f"{_moment(found['max_drawdown_trough'])}, "
            f"{'recovered ' + _moment(back) if back else 'not recovered'}.</p>"
        )
    year = "; ".join(report["conventions"][name] for name in ("year", "returns"))
    return (
        f"<h2>Metrics</h2><p class='mute'>A year has {escape(year)}; deviation ddof 1, risk-free "
        f"rate 0.</p>{table}{fall}"
    )


def _groups(report: Report, key: str, title: str) -> str:
    rows: list[str] = []
    for at, row in enumerate(report[key]):
        place = f"{key}.{at}"
        cells = [
            told(f"{place}.round_trips", row["round_trips"], plain),
            told(f"{place}.wins", row["wins"], plain),
            told(f"{place}.result", row["result"], cash, names=_sign(row["result"])),
            told(f"{place}.mean_share", row["mean_share"], share),
            told(f"{place}.best", row["best"], cash),
            told(f"{place}.worst", row["worst"], cash),
            told(f"{place}.fees", row["fees"], cash),
        ]
        name = str(next(iter(row.values())))
        rows.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    if not rows:
        return f"<section><h2>{title}</h2><p>No round trip was closed.</p></section>"
    head = ("", "closed", "won", "result", "mean", "best", "worst", "fees")
    return f"<section><h2>{title}</h2>{_table(title, head, rows)}</section>"


def _open(report: Report) -> str:
    rows: list[str] = []
    for at, row in enumerate(report["open_positions"]):
        place = f"open_positions.{at}"
        cells = [
            f'<td class="word">{escape(row["strategy"])}</td>',
            f'<td class="word">{_moment(row["opened"])}</td>',
            told(f"{place}.qty", row["qty"], plain),
            told(f"{place}.entry_price", row["entry_price"], plain),
            told(f"{place}.last_price", row["last_price"], plain),
            told(f"{place}.result_open", row["result_open"], cash, names=_sign(row["result_open"])),
        ]
        rows.append(f'<tr><th scope="row">{escape(row["symbol"])}</th>{"".join(cells)}</tr>')
    if not rows:
        return ""
    head = ("", "strategy", "since", "quantity", "entry", "last", "result")
    title = "Still open, at the last close"
    return f"<h2>{title}</h2>{_table(title, head, rows, words=3)}"


def _codes(report: Report, key: str, title: str) -> str:
    counts: Mapping[str, int] = report[key]
    if not counts:
        return ""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [
        f'<tr><th scope="row"><code>{escape(code)}</code></th>'
        f"{told(f'{key}.{code}', times, count)}</tr>"
        for code, times in ordered
    ]
    return f"<section><h2>{title}</h2>{_table(title, ('code', 'times'), rows)}</section>"


def _foot(report: Report) -> str:
    orders, manifest = report["orders"], report["manifest"]
    text = (
        f"<p>{told('orders.sent', orders['sent'], plain, 'span')} orders sent, "
        f"{told('orders.unfilled', orders['unfilled'], plain, 'span')} of them without a fill.</p>"
    )
    if manifest is not None:
        rows = [
            ("run", manifest["id"]),
            ("policy", manifest["policy"]),
            ("code", manifest["code"]),
            *((f"{row['symbol']} {row['timeframe']}", row["sha256"]) for row in manifest["data"]),
        ]
        listed = "".join(
            f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>" for name, value in rows
        )
        text += f"<details><summary>What went into it</summary><dl>{listed}</dl></details>"
    return f"<footer>{text}</footer>\n"

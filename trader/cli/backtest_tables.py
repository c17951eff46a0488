"""A back-test's report as tables for people.

Lives here: layout of what `app.backtest_report` says; fits 80 columns. Must not live here: numbers
of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trader.app.backtest_report import rounded
from trader.cli.plain_tables import BOLD, Paper
from trader.cli.times import span

Report = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
NONE = "-"
LONG = 10_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHARES = frozenset(
    {"total_return", "cagr", "max_drawdown", "win_rate", "exposure", "market_change",
     "expectancy_share", "volatility"}
)  # fmt: skip
_METRICS = (
    ("total_return", "total return", "market_change", "market change"),
    ("cagr", "CAGR", "max_drawdown", "max drawdown"),
    ("sharpe", "Sharpe", "calmar", "Calmar"),
    ("sortino", "Sortino", "volatility", "volatility"),
    ("win_rate", "win rate", "profit_factor", "profit factor"),
    ("expectancy", "expectancy", "expectancy_share", "of its cost"),
    ("exposure", "exposure", "turnover", "turnover"),
)
# Why nothing is asked for on most bars; what else is quiet may keep a strategy from ever trading.
ORDINARY = {"NO_SIGNAL", "HOLD", "SIGNAL_USED", "EXIT_WORKING"}
AT_REST = "ENTRY_"


def show_report(report: Report, paper: Paper) -> None:
    """Everything, in the order in which it matters."""
    _head(report, paper)
    _result(report, paper)
    paper.line()
    _metrics(report, paper)
    _short(report, paper)
    _drawdown(report, paper)
    _held(report, paper)
    quote = report["account"]["quote"]
    for key, title in (
        ("instruments", f"Round trips by instrument, {quote}"),
        ("strategies", f"Round trips by strategy, {quote}"),
        ("exit_reasons", f"Round trips by exit reason, {quote}"),
    ):
        _section(title, report[key], _groups, paper)
    books = report["books"]
    _section(f"Books of the strategies, {quote}", books if len(books) > 1 else (), _books, paper)
    for row in books:
        if row["off_why"]:
            said = f"Strategy {row['strategy']} failed and was not asked again: {row['off_why']}"
            paper.says(said, style=BOLD)
    if not report["exit_reasons"]:
        paper.line("No round trip was closed.")
    _section(
        f"Still open, marked at the last close, {quote}", report["open_positions"], _open, paper
    )
    _months(report, paper)
    _counts(report, paper)
    _foot(report, paper)


def _section(title: str, rows: Any, draw: Callable[[Any, Paper], None], paper: Paper) -> None:
    if rows:
        paper.line()
        paper.says(title, style=BOLD)
        draw(rows, paper)


def share(value: str | None) -> str:
    """`0.123456` as `12.35 %`."""
    return NONE if value is None else f"{float(value) * 100:.2f} %"


def ratio(value: str | None) -> str:
    """Two decimals, or -."""
    return NONE if value is None else f"{float(value):.2f}"


def cash(amount: str) -> str:
    """An amount, without decimals when it is long anyway."""
    return rounded(amount, 2 if abs(Decimal(amount)) < LONG else 0)


def _plain(moment: str) -> str:
    return moment.replace("T", " ").removesuffix(":00Z")


def _head(report: Report, paper: Paper) -> None:
    symbols = ", ".join(row["symbol"] for row in report["market"])
    span = report["range"]
    paper.says(f"Back-test of {symbols}", style=BOLD)
    paper.says(
        f"{_plain(span['first_open'])} to {_plain(span['last_close'])} UTC, "
        f"{span['decision_bars']} decision bars of {span['timeframe']}"
    )
    paper.line("Assumed:")
    for sentence in report["assumed"]:
        paper.says(sentence, " - ", "   ")


def _result(report: Report, paper: Paper) -> None:
    account, quote = report["account"], report["account"]["quote"]
    paper.says(
        f"{rounded(account['starting_balance'])} {quote} became "
        f"{rounded(account['final_equity'])} {quote} (fees {rounded(account['fees'])} {quote})",
        style=BOLD,
    )
    others: Rows = report["costs"]["runs"] if report["costs"] else ()
    for row in others:
        paper.says(
            f"{row['name']}: {rounded(row['final_equity'])} {quote} ({share(row['total_return'])})",
            "  ",
            "    ",
        )
    hold = report["buy_and_hold"]
    if hold is not None:
        paper.says(
            f"buying at the start and holding: {rounded(hold['final_equity'])} {quote} "
            f"({share(hold['total_return'])})",
            "  ",
            "    ",
        )


def _metrics(report: Report, paper: Paper) -> None:
    found = report["metrics"]
    names = {"expectancy": f"expectancy, {report['account']['quote']}"}
    rows = [
        (
            names.get(left, left_name),
            _metric(left, found),
            "",
            names.get(right, right_name),
            _metric(right, found),
        )
        for left, left_name, right, right_name in _METRICS
    ]
    wide = max(len(row[3]) for row in rows)
    paper.table([""] * 5, [(*row[:3], row[3].ljust(wide), row[4]) for row in rows])


def _metric(name: str, found: Mapping[str, str | None]) -> str:
    return share(found[name]) if name in _SHARES else ratio(found[name])


def _short(report: Report, paper: Paper) -> None:
    """Why the figures of a year are missing."""
    found = report["metrics_undefined"].get("cagr", "")
    if found.startswith("too short"):
        paper.says(f"CAGR, Sharpe, Sortino, Calmar and volatility: {found}")


def _drawdown(report: Report, paper: Paper) -> None:
    found = report["metrics"]
    if float(found["max_drawdown"]) == 0:
        return
    back = found["max_drawdown_recovered"]
    end = f"recovered {_plain(back)}" if back else "not recovered"
    paper.says(
        f"Max drawdown {rounded(found['max_drawdown_amount'])} "
        f"{report['account']['quote']} from "
        f"{_plain(found['max_drawdown_peak'])} to {_plain(found['max_drawdown_trough'])}, {end}"
    )


def _held(report: Report, paper: Paper) -> None:
    """The metrics of buying and holding beside those of the run."""
    hold = report["buy_and_hold"]
    if hold is None or "metrics" not in hold:
        return
    paper.line()
    paper.says("Beside buying at the start and holding", style=BOLD)
    names = ("total_return", "cagr", "sharpe", "sortino", "calmar", "volatility", "max_drawdown")
    titles = {name: title for row in _METRICS for name, title in (row[:2], row[2:])}
    rows = [
        (titles[name], _metric(name, report["metrics"]), _metric(name, hold["metrics"]))
        for name in names
    ]
    paper.table(("", "run", "holding"), rows)


def _groups(rows: Rows, paper: Paper) -> None:
    paper.table(
        ("", "closed", "won", "result", "mean", "best", "worst", "fees", "held"),
        [
            (
                str(next(iter(row.values()))),
                str(row["round_trips"]),
                str(row["wins"]),
                cash(row["result"]),
                share(row["mean_share"]),
                cash(row["best"]),
                cash(row["worst"]),
                cash(row["fees"]),
                span(row["mean_held_ms"]),
            )
            for row in rows
        ],
        gap=1,
    )


def _books(rows: Rows, paper: Paper) -> None:
    amounts = ("result", "realised_result", "open_result", "drawdown_max")
    paper.table(
        ("", "state", "fills", "result", "realised", "open", "deepest fall"),
        [
            (row["strategy"], row["state"], str(row["fills"]), *(cash(row[a]) for a in amounts))
            for row in rows
        ],
        left=2,
    )


def _open(rows: Rows, paper: Paper) -> None:
    paper.table(
        ("", "strategy", "since", "quantity", "entry", "last", "result"),
        [
            (
                row["symbol"],
                row["strategy"],
                _plain(row["opened"]),
                row["qty"],
                row["entry_price"],
                row["last_price"],
                rounded(row["result_open"]),
            )
            for row in rows
        ],
        left=3,
    )


def _months(report: Report, paper: Paper) -> None:
    rows = report["series"]["monthly"]
    if len(rows) < 2:
        return
    paper.line()
    paper.says("Return by month (UTC), %", style=BOLD)
    years = year_table(rows)
    for digits in (1, 0):
        cells = [
            [str(year), *(_percent(value, digits) for value in values)] for year, values in years
        ]
        head = ["", *MONTHS, "year"]
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        if sum(widths) + len(widths) - 1 <= paper.width:
            break
    paper.table(head, cells, gap=1)


def year_table(months: Rows) -> list[tuple[int, list[float | None]]]:
    """(year, returns of its twelve months and of the year), None where there were no bars."""
    years: dict[int, list[float | None]] = {}
    for row in months:
        year, month = map(int, row["month"].split("-"))
        values = years.setdefault(year, [None] * 13)
        found = None if row["return"] is None else float(row["return"])
        values[month - 1] = found
        grown = (1.0 + (values[12] or 0.0)) * (1.0 + (found or 0.0)) - 1.0
        values[12] = grown
    return list(years.items())


def _percent(value: float | None, digits: int) -> str:
    if value is None:
        return NONE
    shown = f"{value * 100:.{digits}f}"
    return shown[1:] if float(shown) == 0 and shown.startswith("-") else shown


def _counts(report: Report, paper: Paper) -> None:
    """How often each code was the answer."""
    _section("Refusals (how often each rule said no)", report["refusals"], _codes, paper)
    quiet = report["quiet"]
    rests = {code: times for code, times in quiet.items() if code.startswith(AT_REST)}
    _section("Entries at rest (how often one stayed, was moved, ended)", rests, _codes, paper)
    unready = {c: times for c, times in quiet.items() if c not in ORDINARY and c not in rests}
    _section("Not ready (how often nothing could be asked for)", unready, _codes, paper)
    title = "Universe (how often candidates were in or out, and the regime was told)"
    _section(title, report["universe"], _codes, paper)


def _codes(counts: Mapping[str, int], paper: Paper) -> None:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    paper.table(("code", "times"), [(code, str(times)) for code, times in ordered])


def _foot(report: Report, paper: Paper) -> None:
    orders = report["orders"]
    paper.line()
    paper.says(
        f"{orders['sent']} orders sent, {orders['unfilled'] or 'none'} of them without a fill."
    )
    paper.says(
        "Conventions: a year of 365 days, deviation ddof 1, risk-free 0; daily returns (UTC); "
        "drawdown at decision bars; each formula is in --json under conventions."
    )
    if report["manifest"] is not None:
        paper.says(f"Run {report['manifest']['id']}")

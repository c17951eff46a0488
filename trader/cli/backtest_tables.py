"""A back-test's report as tables for people.

Lives here: layout of what `app.backtest_report` says; fits 80 columns. Must not live here: numbers
of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from textwrap import fill
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from trader.app.backtest_report import rounded
from trader.cli.times import span

if TYPE_CHECKING:
    from rich.console import Console

Report = Mapping[str, Any]
NONE = "-"
LONG = 10_000
_SHARES = frozenset(
    {"total_return", "cagr", "max_drawdown", "win_rate", "exposure", "market_change",
     "expectancy_share"}
)  # fmt: skip
_METRICS = (
    ("total_return", "total return", "market_change", "market change"),
    ("cagr", "CAGR", "max_drawdown", "max drawdown"),
    ("sharpe", "Sharpe", "calmar", "Calmar"),
    ("sortino", "Sortino", "profit_factor", "profit factor"),
    ("win_rate", "win rate", "expectancy", "expectancy"),
    ("exposure", "exposure", "turnover", "turnover"),
)
# Why nothing is asked for on most bars; what else is quiet may keep a strategy from ever trading.
ORDINARY = {"NO_SIGNAL", "HOLD", "SIGNAL_USED", "EXIT_WORKING"}
AT_REST = "ENTRY_"


def show_report(report: Report, console: Console) -> None:
    """Everything, in the order in which it matters."""
    _head(report, console)
    console.print()
    console.print(_metrics(report))
    _short(report, console)
    _drawdown(report, console)
    quote = report["account"]["quote"]
    for key, title in (
        ("instruments", f"Round trips by instrument, {quote}"),
        ("strategies", f"Round trips by strategy, {quote}"),
        ("exit_reasons", f"Round trips by exit reason, {quote}"),
    ):
        _section(title, report[key], _groups, console)
    books = report["books"]
    _section(f"Books of the strategies, {quote}", books if len(books) > 1 else (), _books, console)
    for row in books:
        if row["off_why"]:
            said = f"Strategy {row['strategy']} failed and was not asked again: {row['off_why']}"
            console.print(Text(said, style="bold red"))
    if not report["round_trips"]:
        console.print("No round trip was closed.")
    _section(
        f"Still open, marked at the last close, {quote}", report["open_positions"], _open, console
    )
    _section("Refusals (how often each rule said no)", report["refusals"], _refusals, console)
    quiet = report["quiet"]
    rests = {code: times for code, times in quiet.items() if code.startswith(AT_REST)}
    _section("Entries at rest (how often one stayed, was moved, ended)", rests, _refusals, console)
    unready = {c: times for c, times in quiet.items() if c not in ORDINARY and c not in rests}
    _section("Not ready (how often nothing could be asked for)", unready, _refusals, console)
    _section(
        "Universe (how often candidates were in or out, and the regime was told)",
        report["universe"], _refusals, console,
    )  # fmt: skip
    _foot(report, console)


def _section(title: str, rows: Any, draw: Callable[[Any], Table], console: Console) -> None:
    if rows:
        console.print()
        console.print(Text(title, style="bold"))
        console.print(draw(rows))


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


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


def _head(report: Report, console: Console) -> None:
    symbols = ", ".join(row["symbol"] for row in report["market"])
    span = report["range"]
    console.print(Text(f"Back-test of {symbols}", style="bold"))
    console.print(
        f"{_plain(span['first_open'])} to {_plain(span['last_close'])} UTC, "
        f"{span['decision_bars']} decision bars of {span['timeframe']}"
    )
    console.print("Assumed:")
    for sentence in report["assumed"]:
        console.print(_wrapped(sentence, console, " - ", "   "))
    account = report["account"]
    quote = account["quote"]
    console.print(
        Text(
            f"{rounded(account['starting_balance'])} {quote} became "
            f"{rounded(account['final_equity'])} {quote}",
            style="bold",
        ),
        f"(fees {rounded(account['fees'])} {quote})",
    )


def _metrics(report: Report) -> Table:
    found = report["metrics"]
    names = {"expectancy": f"expectancy, {report['account']['quote']}"}
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_column(justify="right")
    for left, left_name, right, right_name in _METRICS:
        table.add_row(
            left_name, _metric(left, found), names.get(right, right_name), _metric(right, found)
        )
    return table


def _metric(name: str, found: Mapping[str, str | None]) -> str:
    return share(found[name]) if name in _SHARES else ratio(found[name])


def _short(report: Report, console: Console) -> None:
    """Why the figures of a year are missing."""
    found = report["metrics_undefined"].get("cagr", "")
    if found.startswith("too short"):
        console.print(_wrapped(f"CAGR, Sharpe, Sortino and Calmar: {found}", console))


def _drawdown(report: Report, console: Console) -> None:
    found = report["metrics"]
    if float(found["max_drawdown"]) == 0:
        return
    back = found["max_drawdown_recovered"]
    end = f"recovered {_plain(back)}" if back else "not recovered"
    console.print(
        f"Max drawdown {rounded(found['max_drawdown_amount'])} "
        f"{report['account']['quote']} from "
        f"{_plain(found['max_drawdown_peak'])} to {_plain(found['max_drawdown_trough'])}, {end}"
    )


def _groups(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table()
    table.padding = (0, 1, 0, 0)
    table.add_column("", no_wrap=True)
    for name in ("closed", "won", "result", "mean", "best", "worst", "fees", "held"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
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
    return table


def _books(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table()
    table.add_column("", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for name in ("fills", "result", "realised", "open", "deepest fall"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        amounts = (row["result"], row["realised_result"], row["open_result"], row["drawdown_max"])
        table.add_row(row["strategy"], row["state"], str(row["fills"]), *map(cash, amounts))
    return table


def _open(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table()
    for name in ("", "strategy", "since"):
        table.add_column(name, no_wrap=True)
    for name in ("quantity", "entry", "last", "result"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["symbol"],
            row["strategy"],
            _plain(row["opened"]),
            row["qty"],
            row["entry_price"],
            row["last_price"],
            rounded(row["result_open"]),
        )
    return table


def _refusals(counts: Mapping[str, int]) -> Table:
    table = _table()
    table.add_column("code", no_wrap=True)
    table.add_column("times", justify="right")
    for code, times in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(code, str(times))
    return table


def _foot(report: Report, console: Console) -> None:
    orders = report["orders"]
    console.print()
    console.print(
        f"{orders['sent']} orders sent, {orders['unfilled'] or 'none'} of them without a fill."
    )
    sentence = (
        "Conventions: a year of 365 days, deviation ddof 1, risk-free 0; daily returns (UTC); "
        "drawdown at decision bars; each formula is in --json under conventions."
    )
    console.print(_wrapped(sentence, console))


def _wrapped(sentence: str, console: Console, first: str = "", rest: str = "") -> Text:
    width = max(console.width, 40)
    return Text(fill(sentence, width, initial_indent=first, subsequent_indent=rest))

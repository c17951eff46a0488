"""`trader backtest list`, `show` and `compare`: back-tests that were made before.

Lives here: finding them, and tables about them. Must not live here: what differs
(`app.backtest_compare`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from trader.app.backtest_report import rounded
from trader.app.backtest_runs import Runs
from trader.cli.backtest_outputs import check_outputs, show_run, write_outputs
from trader.cli.backtest_tables import NONE, ratio, share
from trader.cli.given import setup_options
from trader.cli.output import print_json
from trader.cli.plain_tables import BOLD, Paper
from trader.cli.times import minute
from trader.errors import UsageError
from trader.wiring import load_policy, runs_folder

SHOWN_MAX = 40
SYMBOLS_SHOWN_MAX = 3


def runs_of(given: Mapping[str, Any]) -> Runs:
    """The kept runs; a policy that cannot be read only loses its app.state_dir."""
    setup = setup_options(given["config"], given["state_dir"])
    named = ""
    with suppress(UsageError):
        named = load_policy(setup).form["app"]["state_dir"]
    return Runs(runs_folder(setup, named))


def list_command(given: Mapping[str, Any]) -> int:
    """The kept runs, the newest first."""
    rows = list(runs_of(given).rows())
    if given["as_json"]:
        print_json({"runs": rows})
        return 0
    paper = Paper.for_stdout()
    if not rows:
        paper.line("No back-test was kept here yet.")
    else:
        paper.table(
            ("run", "saved (UTC)", "bars", "final", "return", "drawdown", "Sharpe"),
            [_line(row) for row in rows],
            left=3,
            gap=1,
        )
    for row in rows:
        if "damaged" in row:
            paper.says(f"{row['id']} is damaged: {row['damaged']}")
    paper.print()
    return 0


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    if "damaged" in row:
        return (row["id"], "damaged", *[NONE] * 5)
    symbols: list[str] = row["symbols"]
    more = f" +{len(symbols) - 1}" if len(symbols) > 1 else ""
    return (
        row["id"],
        minute(row["saved_ms"] // 60_000 * 60_000).removesuffix("Z"),
        f"{symbols[0]}{more} {row['timeframe']}",
        rounded(row["final_equity"], 0),
        share(row["total_return"]),
        share(row["max_drawdown"]),
        ratio(row["sharpe"]),
    )


def show_command(name: str, given: Mapping[str, Any]) -> int:
    """A kept run's report again, in any of its forms."""
    check_outputs(given)
    run = runs_of(given).load(name)
    show_run(run, given)
    write_outputs(run, given)
    return 0


def compare_command(first: str, second: str, given: Mapping[str, Any]) -> int:
    """What two kept runs differ in."""
    from trader.app.backtest_compare import compare_runs

    runs = runs_of(given)
    found = compare_runs(runs.load(first), runs.load(second))
    if given["as_json"]:
        print_json(found)
        return 0
    paper = Paper.for_stdout()
    paper.says(f"Run {found['a']} and run {found['b']}", style=BOLD)
    _part("What went into them", found["inputs"], paper)
    _decisions(found["decisions"], paper)
    _part("What came of it", found["results"], paper)
    paper.print()
    return 0


def _part(title: str, part: Mapping[str, Any], paper: Paper) -> None:
    paper.line()
    if part["same"]:
        paper.says(f"{title}: the same.")
        return
    count = len(part["changed"])
    paper.says(f"{title}: {count} difference{'s' if count > 1 else ''}", style=BOLD)
    shown = part["changed"][:SHOWN_MAX]
    rows = [(row["key"], _short(row["a"]), _short(row["b"])) for row in shown]
    paper.table(("", "first", "second"), rows)
    if count > SHOWN_MAX:
        paper.says(f"and {count - SHOWN_MAX} more: --json has them all")


def _short(value: Any) -> str:
    text = NONE if value is None else str(value)
    # A hash is told apart by its first digits.
    return text[:12] if len(text) == 64 else text


def _decisions(found: Mapping[str, Any], paper: Paper) -> None:
    paper.line()
    first = found["first"]
    if first is None:
        paper.says(f"What was decided: the same {found['executions'][0]} executions.")
        return
    counts = " and ".join(str(count) for count in found["executions"])
    paper.says(f"What was decided: {counts} executions", style=BOLD)
    paper.says(
        f"The first that differs is number {first['execution']} ({', '.join(first['differs'])}):"
    )
    for key, title in (("a", "first"), ("b", "second")):
        paper.says(f"{title}: {_told(first[key])}", "  ", "    ")


def _told(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "had no more"
    when = row["time"].replace("T", " ").removesuffix("Z")
    return (
        f"{when} {row['strategy']} {row['side']} {row['qty']} {row['symbol']} at {row['price']} "
        f"({row['reason']})"
    )

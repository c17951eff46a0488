"""`trader audit parity`: whether the back-test decides as the journal did, and why where it parts.

Lives here: the command, its sentences and its table. Must not live here: the comparison
(`app.parity`).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from trader.cli.journals import JournalFile, chosen_journal
from trader.cli.output import console, print_json, print_lines
from trader.cli.times import minute
from trader.cli.typed import AsJson, Config, StateDir
from trader.errors import UsageError
from trader.wiring import parse_time

if TYPE_CHECKING:
    from rich.table import Table

    from trader.app.parity import ParityReport, Progress
    from trader.app.parity_causes import Difference

WHAT = ("decision", "numbers", "order", "fill", "account", "event")
SHOWN_MAX = 20
SPREAD_BPS_MAX = 5_000


def parity(
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    journal: JournalFile = "",
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="First decision bar; default: the first.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Decision bars that open before it.")
    ] = "",
    spread: Annotated[
        str, typer.Option(metavar="BPS", help="The model's distance between bid and ask.")
    ] = "2",
) -> int:
    """Decide a journal's bars again by the back-test, stepped and running free."""
    from trader.app.parity import ParityOptions, journals_at_hand
    from trader.app.parity import parity as compare

    options = ParityOptions(
        parse_time(since, "--from") if since else None,
        parse_time(until, "--until") if until else None,
        _spread_ppm(spread),
    )
    mode, place = chosen_journal(config, state_dir, journal)
    with journals_at_hand(place) as journals, _progress() as advance:
        mode = journals[-1].state.word("mode") or mode
        report = compare(journals, options, advance)
    if as_json:
        print_json({"mode": mode, "journal": str(place), **report.row()})
    else:
        print_lines(mode, parity_lines(report))
        if report.differences:
            console().print(cause_table(mode, report))
    return int(report.exit_code)


def parity_lines(report: ParityReport) -> list[str]:
    """The verdict, what was compared, and everything that stands against it."""
    verdict = "PROVEN" if report.proven else "NOT PROVEN"
    counts = [f"{sum(d.what == what for d in report.differences)} {what}" for what in WHAT]
    lines = [
        f"parity {verdict}: bars {minute(report.first_ms)} to {minute(report.last_ms)}",
        (
            f"stepped: {report.plans} decisions and {report.steps} steps made again on the "
            f"journal's account, {len(report.stepped)} differ"
        ),
        (
            f"free: {report.bars} bars and {report.orders} orders, {len(report.differences)} "
            f"differences ({', '.join(counts)}), {len(report.unexplained)} UNEXPLAINED"
        ),
    ]
    if report.plans == 0:
        lines.append("no decision was compared")
    lines += _some("STEPPED", report.stepped)
    lines += _some("UNEXPLAINED", [difference_text(found) for found in report.unexplained])
    lines += _some("UNDECIDABLE", report.undecidable)
    return lines + [f"archived: {text}" for text in report.archived]


def difference_text(found: Difference) -> str:
    """One difference in a line."""
    of = " ".join(part for part in (found.strategy, found.symbol) if part)
    after = f", follows {' '.join(f'#{n}' for n in found.follows)}" if found.follows else ""
    return (
        f"#{found.number} {found.what} of bar {minute(found.bar_ms)}{f' ({of})' if of else ''}: "
        f"{found.where} is {found.journal} in the journal, {found.free} free; {found.proof}{after}"
    )


def cause_table(mode: str, report: ParityReport) -> Table:
    """Causes by what they explain; `begins`: differences whose chain begins with it."""
    from rich import box
    from rich.table import Table

    from trader.app.parity_causes import count_causes

    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title=f"[{mode}] what the free run differs by (docs/parity.md)",
        title_justify="left",
    )
    table.add_column("cause", no_wrap=True)
    for name in (*WHAT, "begins"):
        table.add_column(name, justify="right")
    roots = report.roots()
    for cause, rows in count_causes(report.differences).items():
        cells = [str(rows.get(what, "-")) for what in WHAT]
        table.add_row(cause, *cells, str(roots.get(cause, "-")))
    return table


def _some(word: str, texts: list[str]) -> list[str]:
    more = len(texts) - SHOWN_MAX
    shown = [f"{word} {text}" for text in texts[:SHOWN_MAX]]
    return [*shown, f"{word} and {more} more: see --json"] if more > 0 else shown


def _spread_ppm(text: str) -> int:
    try:
        bps = Decimal(text)
    except InvalidOperation:
        raise UsageError(f"--spread {text!r} is not a number", "write it plainly: 2") from None
    if not (bps.is_finite() and 0 <= bps <= SPREAD_BPS_MAX):
        raise UsageError(f"--spread {text} is out of range", f"from 0 to {SPREAD_BPS_MAX}")
    return int(bps * 100)


@contextmanager
def _progress() -> Generator[Progress | None]:
    """A bar on stderr for whoever waits at a terminal."""
    shower = console(stderr=True)
    if not shower.is_terminal:
        yield None
        return
    from rich.progress import Progress as Bar

    with Bar(console=shower, transient=True) as bar:
        task = bar.add_task("decisions", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

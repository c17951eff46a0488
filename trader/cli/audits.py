"""`trader audit verify | replay | explain | inspect | export`: what only reads.

Lives here: signatures and words. Must not live here: the proofs themselves, or the commands that
write (`audit_upkeep`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trader.cli.audit_controls import controls
from trader.cli.audit_parity import parity
from trader.cli.audit_upkeep import accept_head, repair, seal
from trader.cli.given import account_setup, setup_options
from trader.cli.journals import JournalFile, chosen_journal, mode_of
from trader.cli.output import print_json, print_lines, say
from trader.cli.typed import AsJson, Config, StateDir
from trader.errors import ExitCode, UsageError
from trader.wiring import open_journal

if TYPE_CHECKING:
    from trader.app.replay import ReplayReport
    from trader.journal.head import Head

app = typer.Typer(no_args_is_help=True, help="Prove and explain what the journal holds.")


@app.command()
def verify(
    *,
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    head: Annotated[
        str, typer.Option(metavar="SEQ:HASH", help="A head that was noted elsewhere.")
    ] = "",
    journal: JournalFile = "",
) -> int:
    """Check every byte of the journal; changes nothing."""
    from trader.journal.verify import has_errors
    from trader.journal.verify import verify as verify_journal

    mode, place = chosen_journal(config, state_dir, journal)
    findings = verify_journal(place, parse_head(head))
    failed = has_errors(findings)
    if as_json:
        rows = [
            {"level": f.level, "where": f.where, "what": f.what, "seq": f.seq} for f in findings
        ]
        print_json({"mode": mode, "whole": not failed, "findings": rows})
    else:
        said = "the journal is DAMAGED" if failed else "the journal is whole"
        lines = [f"{found.level}: {found}" for found in findings]
        print_lines(mode, [f"{said}: {place}", *lines])
    return int(ExitCode.PROOF_FAILED if failed else ExitCode.OK)


@app.command()
def replay(
    *,
    cycles: Annotated[
        list[int], typer.Argument(metavar="[CYCLE]...", default_factory=list, show_default=False)
    ],
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    everything: Annotated[bool, typer.Option("--all", help="Every cycle of this file.")] = False,
) -> int:
    """Decide stored cycles again (default: the last) and compare the bytes."""
    from trader.app.replay import replay as replay_cycles
    from trader.build import code_hash

    setup = account_setup(setup_options(config, state_dir), decides=False)
    with open_journal(setup, read_only=True) as journal:
        last = journal.last_cycle()
        chosen = cycles or ([last.cycle] if last else [])
        report = replay_cycles(journal, code_hash(), None if everything else chosen)
    if as_json:
        print_json({"mode": mode_of(setup), **report.row()})
    else:
        print_lines(mode_of(setup), replay_lines(report))
    return int(report.exit_code)


@app.command()
def explain(
    *,
    cycle: Annotated[int, typer.Argument(metavar="CYCLE")],
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
) -> int:
    """Tell the story of one decision in words."""
    from trader.app.explain import explain as explain_cycle

    setup = account_setup(setup_options(config, state_dir), decides=False)
    with open_journal(setup, read_only=True) as journal:
        story = explain_cycle(journal, cycle)
    if as_json:
        print_json({"mode": mode_of(setup), **story.row()})
    else:
        print_lines(mode_of(setup), story.lines)
    return 0


@app.command()
def inspect(
    *, config: Config, state_dir: StateDir, as_json: AsJson, journal: JournalFile = ""
) -> int:
    """Show head, size, rows per table and entries per kind."""
    from trader.journal.export import inspect as inspect_journal

    mode, place = chosen_journal(config, state_dir, journal)
    seen = inspect_journal(place)
    if as_json:
        print_json({"mode": mode, "journal": str(place), **seen})
        return 0
    lines = [f"journal {place}", f"head {seen['head']}", f"size {seen['bytes']} bytes"]
    lines += [f"table {name}: {rows} rows" for name, rows in seen["tables"].items()]
    lines += [f"kind {kind}: {count} entries" for kind, count in seen["kinds"].items()]
    print_lines(mode, lines)
    return 0


@app.command()
def export(
    *,
    table: Annotated[str, typer.Argument(metavar="TABLE")],
    config: Config,
    state_dir: StateDir,
    format_: Annotated[
        str, typer.Option("--format", metavar="NAME", help="csv, json or jsonl.")
    ] = "csv",
    journal: JournalFile = "",
) -> int:
    """Write a table to stdout; its mode and number of lines to stderr."""
    from trader.journal.export import export as export_table

    mode, place = chosen_journal(config, state_dir, journal)
    count = 0
    for line in export_table(place, table, format_):
        print(line)
        count += 1
    say(mode, f"{table} of {place}: {count} lines of {format_}")
    return 0


def replay_lines(report: ReplayReport) -> list[str]:
    """A replay in words: the verdict, then everything that stands against it."""
    verdict = "PROVEN" if report.proven else "NOT PROVEN"
    lines = [
        (
            f"replay {verdict}: {report.plans} plans, {report.steps} steps and {report.acts} acts "
            f"of {report.cycles} cycles decided again, {len(report.differences)} differences"
        )
    ]
    lines += [f"DIFFERENCE {found}" for found in report.differences]
    lines += [f"UNDECIDABLE {text}" for text in report.undecidable]
    lines += [f"no decision is stored for cycle {number}" for number in report.missing]
    lines += [f"archived: {text}" for text in report.archived]
    if report.other_code:
        lines.append(
            f"decided by other code: {len(report.other_code)} cycles, compared all the same"
        )
    return lines


def parse_head(text: str) -> Head | None:
    """A head from `SEQ:HASH`; None for no text."""
    from trader.journal.head import parse_noted

    if not text:
        return None
    try:
        return parse_noted(text)
    except ValueError as error:
        raise UsageError(
            f"--head {text!r} is not SEQ:HASH", "copy it from `trader status -v`"
        ) from error


for more in (parity, controls, seal, repair, accept_head):
    app.command()(more)

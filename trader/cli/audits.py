"""`trader audit verify | replay | explain`.

Lives here: signatures and words. Must not live here: the proofs themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trader.cli.given import setup_options
from trader.cli.output import print_json, print_lines
from trader.cli.typed import AsJson, Config, StateDir
from trader.errors import ExitCode, UsageError
from trader.wiring import Setup, load_setup, open_journal

if TYPE_CHECKING:
    from trader.app.replay import ReplayReport

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
    journal: Annotated[
        str, typer.Option(metavar="PATH", help="This file; no policy is read then.")
    ] = "",
) -> int:
    """Check every byte of the journal; changes nothing."""
    from trader.journal.verify import has_errors
    from trader.journal.verify import verify as verify_journal

    setup = None if journal else load_setup(setup_options(config, state_dir))
    place = setup.places.journal if setup else journal
    mode = mode_of(setup) if setup else "audit"
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

    setup = load_setup(setup_options(config, state_dir))
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

    setup = load_setup(setup_options(config, state_dir))
    with open_journal(setup, read_only=True) as journal:
        story = explain_cycle(journal, cycle)
    if as_json:
        print_json({"mode": mode_of(setup), **story.row()})
    else:
        print_lines(mode_of(setup), story.lines)
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


def parse_head(text: str) -> Any:
    """A head from `SEQ:HASH`; None for no text."""
    from trader.journal.head import Head

    if not text:
        return None
    seq, mark, digest = text.partition(":")
    whole = len(digest) == 64 and all(letter in "0123456789abcdef" for letter in digest)
    if not mark or not seq.isdigit() or not whole:
        raise UsageError(f"--head {text!r} is not SEQ:HASH", "copy it from `trader status -v`")
    return Head(int(seq), digest)


def mode_of(setup: Setup) -> str:
    """paper, testnet or live."""
    return setup.run.parameters.mode

"""`trader audit verify | replay | explain`.

Lives here: signatures and words. Must not live here: the proofs themselves.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trader.cli.given import setup_options
from trader.cli.output import print_json, print_lines
from trader.cli.typed import AsJson, Config, StateDir
from trader.errors import ExitCode, UsageError
from trader.wiring import Setup, load_setup

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
) -> int:
    """Check every byte of the journal; changes nothing."""
    from trader.journal.verify import has_errors, verify as verify_journal

    setup = load_setup(setup_options(config, state_dir))
    findings = verify_journal(setup.places.journal, parse_head(head))
    failed = has_errors(findings)
    if as_json:
        rows = [{"level": f.level, "where": f.where, "what": f.what, "seq": f.seq} for f in findings]
        print_json({"mode": mode_of(setup), "whole": not failed, "findings": rows})
    else:
        said = "the journal is DAMAGED" if failed else "the journal is whole"
        lines = [f"{found.level}: {found}" for found in findings]
        print_lines(mode_of(setup), [f"{said}: {setup.places.journal}", *lines])
    return int(ExitCode.PROOF_FAILED if failed else ExitCode.OK)


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

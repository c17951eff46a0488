"""Which journal a command reads: the policy's account, or a file that is named.

Lives here: the option and what it means. Must not live here: opening it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trader.cli.given import account_setup, setup_options
from trader.wiring import Setup

JournalFile = Annotated[
    str, typer.Option("--journal", metavar="PATH", help="This file; no policy is read then.")
]


def chosen_journal(config: list[str], state_dir: str, journal: str) -> tuple[str, Path]:
    """(mode, path) of the file that is named, else of the policy's account."""
    if journal:
        return "audit", Path(journal)
    setup = account_setup(setup_options(config, state_dir), decides=False)
    return mode_of(setup), setup.places.journal


def mode_of(setup: Setup) -> str:
    """paper, testnet or live."""
    return setup.run.parameters.mode

"""What every proof shares: its arguments, its progress and its last line.

Lives here: `prove`, which runs one claim's function and ends with one JSON object on the last line
of stdout and an exit code of 0 only when the claim holds and something was counted. Must not live
here: anything that knows what is proved.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from trader.errors import ExitCode


@dataclass
class Verdict:
    """What came of a proof.

    Attributes:
        holds: whether the claim held in every case.
        count: how many cases were looked at; a proof that looked at nothing fails.
        figures: further numbers for the last line (plain JSON data).
    """

    holds: bool
    count: int
    figures: dict[str, Any] = field(default_factory=dict[str, Any])


def say(text: str) -> None:
    """One line of progress, on stderr: stdout is data."""
    print(text, file=sys.stderr, flush=True)


def parser_of(proof: str, doc: str | None) -> argparse.ArgumentParser:
    """Arguments that every proof takes; a proof adds its own."""
    parser = argparse.ArgumentParser(prog=proof, description=doc)
    parser.add_argument("--quick", action="store_true", help="fewer cases: at most 20 s")
    parser.add_argument("--seed", type=int, default=1, help="what every random choice starts from")
    return parser


def prove(
    proof: str,
    run: Callable[[argparse.Namespace], Verdict],
    parser: argparse.ArgumentParser,
    argv: list[str] | None = None,
) -> int:
    """Run one proof; prints its last line and returns the exit code (0 or 12)."""
    arguments = parser.parse_args(argv)
    verdict = run(arguments)
    holds = verdict.holds and verdict.count > 0
    line = {
        "proof": proof,
        "holds": holds,
        "count": verdict.count,
        "seed": arguments.seed,
        "quick": arguments.quick,
        **verdict.figures,
    }
    print(json.dumps(line), flush=True)
    return ExitCode.OK if holds else ExitCode.PROOF_FAILED

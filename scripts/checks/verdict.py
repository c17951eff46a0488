"""What a check answers, and how it starts a tool.

Lives here: `Verdict`, whose making refuses a check that looked at nothing, and `call`. Must not
live here: any one check.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """What came of a check.

    Attributes:
        ok: whether it passed.
        word: `passed`, `failed` or what else is the honest word (`not audited`).
        looked_at: how many things were looked at, in words.
        text: the tool's output, shown when it failed.
        closing: pytest's closing line, repeated at the end of the log.
    """

    ok: bool
    word: str
    looked_at: str
    text: str = ""
    closing: str = ""


def judge(
    passed: bool,  # noqa: FBT001  the outcome itself, first as in Verdict
    count: int,
    things: str,
    text: str,
    closing: str = "",
) -> Verdict:
    """A verdict that fails when nothing was looked at, whatever the tool said."""
    if count <= 0:
        return Verdict(False, "failed", f"looked at 0 {things}", text, closing)
    word = "passed" if passed else "failed"
    return Verdict(passed, word, f"{count} {things}", text, closing)


def tool(name: str) -> str:
    """The installed program beside the running interpreter."""
    return str(Path(sys.executable).with_name(name))


@dataclass(frozen=True)
class Called:
    """How a program ended: its exit code and both of its streams together."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams."""
        return f"{self.out}{self.err}".strip()


def call(words: list[str], root: Path, **environment: str) -> Called:
    """Run a program in the checkout, without input."""
    full = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **environment}
    full.pop("FORCE_COLOR", None)
    ended = subprocess.run(
        words, cwd=root, env=full, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return Called(ended.returncode, ended.stdout, ended.stderr)

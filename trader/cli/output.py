"""What leaves the program: data on stdout, words about the run on stderr.

Lives here: JSON, plain lines that name the mode, and the rich console. Must not live here: what is
said. rich is imported only when a table is drawn.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console


WIDTH_MIN = 40

# The mode of the account that this run is about, as soon as its policy was read; "" before.
# An error line names it too, and the edge that prints the line knows nothing of accounts.
spoken_mode: ContextVar[str] = ContextVar("spoken_mode", default="")


def print_json(value: Any) -> None:
    """One JSON document; keys in the order they were put in."""
    print(json.dumps(value, indent=1, ensure_ascii=False))


def print_lines(mode: str, lines: Iterable[str]) -> None:
    """Lines about an account: each names its mode."""
    for line in lines:
        print(_fitted(f"[{mode}] ", line, sys.stdout))


def say(mode: str, line: str) -> None:
    """A line of the log."""
    print(_fitted(f"[{mode}] ", line, sys.stderr), file=sys.stderr, flush=True)


def say_error(sentence: str) -> None:
    """One sentence on stderr: what went wrong, where, what to do; with its mode where known."""
    mode = spoken_mode.get()
    prefix = f"trader: [{mode}] " if mode else "trader: "
    print(_fitted(prefix, sentence, sys.stderr, again=""), file=sys.stderr, flush=True)


def say_detail(line: str) -> None:
    """A line on stderr below the sentence that it belongs to."""
    print(_fitted("  ", line, sys.stderr), file=sys.stderr)


def _fitted(prefix: str, line: str, stream: TextIO, again: str | None = None) -> str:
    """A line for whoever reads: whole for a file or a pipe, folded between words on a terminal,
    where each further line begins with `again` (default: as the first)."""
    if not stream.isatty():
        return prefix + line
    from textwrap import fill

    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return prefix + line
    if len(prefix) + len(line) <= width or width < WIDTH_MIN:
        return prefix + line
    again = prefix if again is None else again
    depth = len(line) - len(line.lstrip()) + 2
    return fill(
        line,
        width,
        initial_indent=prefix,
        subsequent_indent=again + " " * depth,
        break_long_words=False,
        break_on_hyphens=False,
    )


def console(*, stderr: bool = False) -> Console:
    """A console that draws for whoever reads: plain text when piped."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def draws() -> bool:
    """Whether tables and screens can be drawn: a terminal that can do more than type."""
    return is_terminal() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}


def is_terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty()

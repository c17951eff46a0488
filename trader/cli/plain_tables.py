"""Tables as plain lines: for commands that have no time to load rich.

Lives here: columns, folding, and bold where a terminal reads. Must not live here: what is shown.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from textwrap import fill

WIDTH_MIN, WIDTH_UNTOLD = 40, 80
GAP, GAP_MIN = 2, 1
BOLD, DIM, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


class Paper:
    """Lines of a width; `styled`: whether bold and dim may be used."""

    def __init__(self, width: int = 80, *, styled: bool = False) -> None:
        """A blank sheet."""
        self.width = max(width, WIDTH_MIN)
        self.styled = styled
        self.lines: list[str] = []

    @staticmethod
    def for_stdout() -> Paper:
        """As wide as the terminal ($COLUMNS first, 80 where nobody says); plain when piped."""
        seen = sys.stdout.isatty() and os.environ.get("TERM", "") not in {"", "dumb", "unknown"}
        styled = seen and "NO_COLOR" not in os.environ
        return Paper(_columns(), styled=styled)

    def line(self, text: str = "", style: str = "") -> None:
        """One line, however long."""
        shown = f"{style}{text}{PLAIN}" if style and self.styled and text else text
        self.lines.append(shown.rstrip())

    def says(self, sentence: str, first: str = "", rest: str = "", style: str = "") -> None:
        """A sentence, folded between words."""
        folded = fill(
            sentence,
            self.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_on_hyphens=False,
        )
        for line in folded.splitlines():
            self.line(line, style)

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1, gap: int = GAP
    ) -> None:
        """Columns: the first `left` of them to the left, numbers to the right.

        Where the sheet is too narrow the gaps shrink, then first cells get a line of their own.
        """
        cells = [list(row) for row in rows]
        every = [list(head), *cells] if any(head) else cells
        widths = [max(len(row[at]) for row in every) for at in range(len(head))]
        if sum(widths) + gap * (len(head) - 1) > self.width:
            gap = GAP_MIN
        room = self.width - sum(widths[1:]) - gap * (len(head) - 1)
        alone = room < widths[0]
        if alone:
            widths[0] = max(2, min(room, widths[0]))
        for row in every:
            first = row[0]
            if alone and len(first) > widths[0]:
                self.line(first)
                first = ""
            placed = [
                cell.ljust(width) if at < left else cell.rjust(width)
                for at, (cell, width) in enumerate(zip([first, *row[1:]], widths, strict=True))
            ]
            is_head = row is every[0] and every is not cells
            self.line((" " * gap).join(placed), DIM if is_head else "")

    def print(self) -> None:
        """To stdout."""
        print("\n".join(self.lines))


def _columns() -> int:
    """As `shutil.get_terminal_size`, which brings four kinds of compression along."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    if sys.__stdout__ is None:
        return WIDTH_UNTOLD
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or WIDTH_UNTOLD
    except (ValueError, OSError):
        return WIDTH_UNTOLD

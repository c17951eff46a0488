"""Which keys of the schema the pages about configuration tell: read from the pages themselves.

Lives here: headings and rows of tables -> dotted keys. Must not live here: the writing of pages.
"""

from __future__ import annotations

import re
from pathlib import Path

_HEADING = re.compile(r"### ((?:`[^`]+`(?:, )?)+)$")
_NAME = re.compile(r"`([^`]+)`")
_ROW = re.compile(r"\| `([^`]+)` \| .+ \| .* \| \S.* \|$")


def documented(root: Path) -> list[str]:
    """Every key that has a row with a meaning, as dotted text with `*` for names of the user."""
    found: list[str] = []
    prefixes: list[str]
    for page in sorted((root / "docs" / "config").glob("*.md")):
        prefixes = [""]
        for line in page.read_text(encoding="utf-8").splitlines():
            heading = _HEADING.match(line)
            if line.startswith("#"):
                prefixes = [str(n) for n in _NAME.findall(heading.group(1))] if heading else [""]
            row = _ROW.match(line)
            if row:
                parts = [[page.stem, prefix, row.group(1)] for prefix in prefixes]
                found += [".".join(part for part in path if part) for path in parts]
    return found

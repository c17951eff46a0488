"""The options of the command line, once: for typer, for the light path and for the documents.

Lives here: names, flags, kinds and help as plain data, and the light parser of `cycle` and
`status`, which have no time for typer. Must not live here: typer, and what an option does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes:
        flags: as typed. kind: `text`, `texts` (repeatable), `switch` or `count`.
        shown: placeholder of its value in help.
    """

    flags: tuple[str, ...]
    kind: str
    help: str
    shown: str = ""


OPTIONS: dict[str, Option] = {
    "config": Option(
        ("--config", "-c"),
        "texts",
        "Folder or file of the policy; repeatable, later wins; - is standard input.",
        "PATH",
    ),
    "state_dir": Option(
        ("--state-dir",),
        "text",
        "Folder of journals and locks (default: app.state_dir, $STATE_DIRECTORY, state/).",
        "DIR",
    ),
    "as_json": Option(("--json",), "switch", "Print JSON, decimals as strings."),
    "verbose": Option(("--verbose", "-v"), "count", "More on stderr; twice: still more."),
    "now": Option(
        ("--now",),
        "text",
        "Pretend that it is this time: ISO (UTC), epoch s or ms. Only with a loopback "
        "exchange.base_url, in paper or testnet mode.",
        "TIME",
    ),
    "dry_run": Option(("--dry-run",), "switch", "Print the plan; write and send nothing."),
    "watch": Option(("--watch",), "switch", "Go on until interrupted."),
}

LIGHT: dict[str, tuple[str, ...]] = {
    "cycle": ("config", "state_dir", "as_json", "verbose", "now", "dry_run"),
    "status": ("config", "state_dir", "as_json", "verbose", "watch"),
}

_EMPTY: dict[str, Any] = {"text": "", "switch": False, "count": 0}


def empty(names: Sequence[str]) -> dict[str, Any]:
    """The value of each option that was not given."""
    return {
        name: [] if OPTIONS[name].kind == "texts" else _EMPTY[OPTIONS[name].kind] for name in names
    }


def parse_light(argv: Sequence[str]) -> tuple[str, dict[str, Any]] | None:
    """(command, values by option name), or None when typer must look at it.

    Understands only whole flags and `--flag=value`, each with a plain value; whatever else is
    typed (help, clusters of letters, mistakes) is typer's, which explains it.
    """
    if not argv or argv[0] not in LIGHT:
        return None
    names = LIGHT[argv[0]]
    by_flag = {flag: name for name in names for flag in OPTIONS[name].flags}
    values = empty(names)
    rest = list(argv[1:])
    while rest:
        word, mark, joined = rest.pop(0).partition("=")
        name = by_flag.get(word)
        if name is None or (mark and not word.startswith("--")):
            return None
        kind = OPTIONS[name].kind
        if kind in {"switch", "count"}:
            if mark:
                return None
            values[name] = True if kind == "switch" else values[name] + 1
            continue
        if not mark:
            if not rest or (rest[0].startswith("-") and rest[0] != "-"):
                return None
            joined = rest.pop(0)
        if kind == "texts":
            values[name].append(joined)
        else:
            values[name] = joined
    return argv[0], values

"""The options of `options.py` as typer's types, for the signatures of commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from trader.cli.options import OPTIONS

_EMPTY: dict[str, Callable[[], Any]] = {
    "text": str,
    "texts": list,
    "switch": bool,
    "count": int,
}


def option(name: str) -> Any:
    """The typer option of an entry of the table; it says itself what it is when not given."""
    known = OPTIONS[name]
    empty = _EMPTY[known.kind]
    if known.kind == "count":
        return typer.Option(
            *known.flags, help=known.help, count=True, default_factory=empty, show_default=False
        )
    return typer.Option(
        *known.flags,
        help=known.help,
        metavar=known.shown or None,
        default_factory=empty,
        show_default=False,
    )


Config = Annotated[list[str], option("config")]
StateDir = Annotated[str, option("state_dir")]
AsJson = Annotated[bool, option("as_json")]
Verbose = Annotated[int, option("verbose")]
Now = Annotated[str, option("now")]
DryRun = Annotated[bool, option("dry_run")]
Watch = Annotated[bool, option("watch")]

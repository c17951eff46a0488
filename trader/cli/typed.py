"""The options of `options.py` as typer's types, for the signatures of commands.

Lives here: that translation, and whole signatures made of it. Must not live here: options.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from trader.cli.options import OPTIONS

_EMPTY: dict[str, Callable[[], Any]] = {
    "text": str,
    "texts": list,
    "switch": bool,
    "count": int,
}
_KINDS: dict[str, type] = {"text": str, "texts": list[str], "switch": bool, "count": int}


def option(name: str) -> Any:
    """The typer option of an entry of the table; it says itself what it is when not given."""
    known = OPTIONS[name]
    empty = _EMPTY[known.kind]
    if known.kind == "count":
        return typer.Option(
            *known.flags, help=known.help, count=True, default_factory=empty, show_default=False
        )
    if known.default:
        return typer.Option(*known.flags, help=known.help, metavar=known.shown or None)
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


def taking(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Options of the table as the signature of `function(context, **values)`."""

    def give(function: Callable[..., int]) -> Callable[..., int]:
        given = [Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
        for name in names:
            kind = Annotated[_KINDS[OPTIONS[name].kind], option(name)]
            default = OPTIONS[name].default or Parameter.empty
            given.append(Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=default))
        vars(function)["__signature__"] = Signature(given)
        function.__annotations__ = {known.name: known.annotation for known in given}
        return function

    return give

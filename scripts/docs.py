"""Writes the generated documents; `--check` only compares, for CI.

docs/cli.md (commands, options, exit codes), docs/reasons.md (reason codes), docs/errors.md (errors
and the exit code of each), docs/indicators.md (the indicator table), docs/config/ (the five files),
docs/calendar.md (local time, worked out), docs/controls.md and docs/decision.md.
Lives here: their text. Must not live here: facts of the program, which
are read from it.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docs_calendar import calendar_page
from docs_config import NOTE, config_pages
from docs_controls import control_pages
from docs_indicators import indicators_page

ROOT = Path(__file__).resolve().parents[1]


def documents() -> dict[str, str]:
    """Path below the repository -> text."""
    pages = {"docs/cli.md": cli(), "docs/reasons.md": reasons(), "docs/errors.md": errors()}
    pages |= {"docs/indicators.md": indicators_page(NOTE)}
    pages |= {"docs/calendar.md": calendar_page(NOTE)}
    return pages | config_pages(NOTE) | control_pages(NOTE)


def cli() -> str:
    """Every command with its options, and the exit codes."""
    from typer.main import get_command

    from trader.cli.exit_codes import MEANINGS
    from trader.cli.tree import build_app
    from trader.errors import SEVERITY

    lines = [NOTE, "# The command line", ""]
    lines += [
        "Data goes to stdout, words about the run to stderr. `--json` prints decimals as strings.",
        "Every line about an account names its mode. Errors are one sentence and an exit code.",
        "",
        "## Commands",
        "",
    ]
    for path, command in walk(get_command(build_app()), ("trader",)):
        lines += command_lines(path, command)
    lines += ["## Exit codes", "", "| code | meaning | who acts |", "|---|---|---|"]
    lines += [f"| {int(code)} | {what} | {who} |" for code, (what, who) in MEANINGS.items()]
    order = ", ".join(str(int(code)) for code in SEVERITY)
    lines += ["", f"When several hold, the first of these is given: {order}.", ""]
    return "\n".join(lines)


def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the tree that does something, depth first."""
    children: dict[str, Any] = getattr(command, "commands", {})
    if not children or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, child in children.items():
        yield from walk(child, (*path, name))


def command_lines(path: tuple[str, ...], command: Any) -> list[str]:
    """One command."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    typed = " ".join((*path, *(_argument(p) for p in arguments)))
    lines = [f"### `{typed}`", "", f"{inspect.cleandoc(command.help or '')}", ""]
    if path[-2:] == ("exchange", "serve"):
        return [*lines, "```", serve_help(), "```", ""]
    shown = [p for p in options if p.name != "help"]
    if not shown:
        return lines
    lines += ["| option | meaning | default |", "|---|---|---|"]
    for option in shown:
        lines.append(f"| `{_flags(option)}` | {option.help} | {_default(option)} |")
    return [*lines, ""]


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _flags(option: Any) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or getattr(option, "count", False):
        return names
    return f"{names} {option.metavar}"


def _default(option: Any) -> str:
    if option.required:
        return "required"
    value = option.default
    if callable(value) or value in (None, "", False, [], ()):
        return ""
    return f"`{value}`"


def serve_help() -> str:
    """The exchange's own help, at a fixed width."""
    from trader.exchange.server import run

    said = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            run(["--help"])
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return said.getvalue().rstrip()


def reasons() -> str:
    """Every reason code of the core."""
    from trader.core import reasons as codes

    lines = [NOTE, "# Reason codes", ""]
    for title, about, table in (
        ("Refusals", "A wish that a rule said no to; one stale instrument is one.", codes.REFUSALS),
        ("Quiet", "Why nothing was asked for.", codes.QUIET),
        ("Universe", "Why an instrument is a member of its tier, or is not.", codes.UNIVERSE),
        ("Orders", "Why an order was made.", codes.ORDERS),
    ):
        lines += [f"## {title}", "", about, "", "| code | meaning |", "|---|---|"]
        lines += [f"| `{code}` | {meaning} |" for code, meaning in sorted(table.items())]
        lines.append("")
    return "\n".join(lines)


def errors() -> str:
    """Every error class with its exit code."""
    from trader import errors as tree
    from trader.cli.exit_codes import MEANINGS

    lines = [NOTE, "# Errors", ""]
    lines += [
        "A run that cannot go on ends with `trader: WHAT; HINT` on stderr and the code below.",
        "",
        "| error | exit code | what it says | who acts |",
        "|---|---|---|---|",
    ]
    for name, kind in vars(tree).items():
        if inspect.isclass(kind) and issubclass(kind, tree.TraderError):
            first = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
            lines.append(f"| `{name}` | {int(kind.code)} | {first} | {MEANINGS[kind.code][1]} |")
    return "\n".join([*lines, *policy_problems(), ""])


def policy_problems() -> list[str]:
    """Every kind of policy problem with its fix."""
    from trader.policy.fixes import FIXES
    from trader.policy.problems import Code

    about = (
        "`trader policy check` names all of them in one run, each as `FILE:LINE: CODE KEY: what is "
        "wrong (what to do)`, and ends with exit code 2. A warning is said and the policy is used."
    )
    lines = ["", "## Problems of a policy", "", about, ""]
    lines += ["| code | what it says | what to do |", "|---|---|---|"]
    lines += [f"| `{code.name}` | {code.value} | {FIXES[code]} |" for code in Code]
    return lines


def main(argv: Sequence[str]) -> int:
    """Write, or compare; exit code 0 when all are fresh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    given = parser.parse_args(argv)
    stale = []
    for name, text in documents().items():
        path = ROOT / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not given.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    verb = "stale" if given.check else "written"
    print(f"{len(documents())} documents, {len(stale)} {verb}: {', '.join(stale) or 'none'}")
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

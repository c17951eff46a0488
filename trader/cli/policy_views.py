"""`trader policy show | diff | schema`: what only reads.

Lives here: where the policies come from, and words. Must not live here: layout of tables (see
`policy_tables`), or what a difference is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from trader.cli.given import setup_options
from trader.cli.output import console, draws, print_json
from trader.cli.typed import AsJson, Config, StateDir
from trader.errors import UsageError
from trader.records import dataclass

HASH_DIGITS_MIN = 6
HASH_DIGITS_MAX = 64

JournalFile = Annotated[
    str, typer.Option("--journal", metavar="PATH", help="Look for hashes in this file only.")
]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two policies: how it was named, its hash, its checked form."""

    name: str
    sha: str
    form: dict[str, Any]


def show(*, config: Config, state_dir: StateDir, as_json: AsJson) -> int:
    """Show the merged policy, redacted, with where each value comes from, and its hash."""
    from trader.policy.showing import show as shown_of
    from trader.wiring import load_policy

    shown = shown_of(load_policy(setup_options(config, state_dir)))
    if as_json:
        origin = {row.key: row.origin for row in shown.values}
        sums = {"sha": shown.sha, "source_sha": shown.source_sha}
        print_json({**sums, "policy": shown.form, "origin": origin})
    elif draws():
        from trader.cli.policy_tables import policy_view

        console().print(policy_view(shown))
    else:
        print(f"# hash {shown.sha}")
        for row in shown.values:
            print(f"{row.key} = {value_text(row.value)}  # {row.origin}")
    return 0


def diff(
    *,
    old: Annotated[str, typer.Argument(metavar="A")],
    new: Annotated[str, typer.Argument(metavar="[B]", show_default=False)] = "",
    config: Config,
    state_dir: StateDir,
    as_json: AsJson,
    journal: JournalFile = "",
) -> int:
    """Compare two policies: folders, files (a,b: b laid over a), or first digits of a hash that a
    journal holds. Without B: with the policy as every command reads it.
    """
    from trader.policy.comparing import changes, silent_changes

    before = side_of(old, state_dir, journal)
    after = side_of(new, state_dir, journal) if new else _present(config, state_dir)
    found = changes(before.form, after.form)
    silent = silent_changes(before.form, after.form)
    if as_json:
        rows = [
            {"key": c.key, "old": c.old, "new": c.new, "meaning": meaning_of(c.key)} for c in found
        ]
        sides = {side: {"name": s.name, "sha": s.sha} for side, s in (("a", before), ("b", after))}
        print_json({**sides, "changes": rows, "read_differently": silent})
        return 0
    print(f"a {before.sha[:12]} {before.name}\nb {after.sha[:12]} {after.name}")
    print(f"{len(found)} of the keys differ" if found else "no key differs")
    if found and draws():
        from trader.cli.policy_tables import diff_view

        console().print(diff_view([(c, meaning_of(c.key)) for c in found]))
    for change in found if not draws() else ():
        print(f"{change.key}: {value_text(change.old)} -> {value_text(change.new)}")
        print(f"    {meaning_of(change.key)}")
    for key in silent:
        print(f"{key}: read differently, with nothing written changed")
    return 0


def schema(
    file: Annotated[str, typer.Argument(help="One of the five, such as app.yaml.")] = "",
) -> int:
    """Print the JSON Schema of the five files, or of one."""
    from trader.policy.describing import json_schemas

    schemas = json_schemas()
    if file and file not in schemas:
        raise UsageError(f"{file} is not one of the five", f"they are {', '.join(schemas)}")
    print_json(schemas[file] if file else schemas)
    return 0


def side_of(name: str, state_dir: str, journal: str) -> Side:
    """A policy by the name of its folder or file, or by its hash; raises UsageError."""
    from trader.policy.checking import check_policy
    from trader.policy.sources import find_sources

    is_hash = HASH_DIGITS_MIN <= len(name) <= HASH_DIGITS_MAX and not name.strip("0123456789abcdef")
    if is_hash and not Path(name).exists():
        return _by_hash(name, state_dir, journal)
    # As they are written: variables would make both sides equal where they override.
    configs = [name] if Path(name).exists() else name.split(",")
    checked = check_policy(find_sources(configs, cwd=Path.cwd(), env={}), {})
    return Side(name, checked.sha, checked.form)


def _present(config: list[str], state_dir: str) -> Side:
    from trader.wiring import load_policy

    checked = load_policy(setup_options(config, state_dir))
    return Side("as it is read now", checked.sha, checked.form)


def _by_hash(digits: str, state_dir: str, journal: str) -> Side:
    found = {sha: place for sha, place in _policies(state_dir, journal) if sha.startswith(digits)}
    if not found:
        where = journal or f"the journals below {_root(state_dir)}"
        raise UsageError(
            f"no policy with the hash {digits} is in {where}",
            "see `trader policy show` and `trader audit export entries`, or name it with --journal",
        )
    if len(found) > 1:
        named = ", ".join(sha[:12] for sha in sorted(found))
        raise UsageError(f"{digits} is the start of several hashes: {named}", "give more digits")
    ((sha, place),) = found.items()
    from trader.journal.journal import Journal

    with Journal.open(place, read_only=True) as opened:
        return Side(f"journal {place}", sha, json.loads(opened.get_blob(sha)))


def _policies(state_dir: str, journal: str) -> Iterator[tuple[str, Path]]:
    """Hash of every policy that was in force, with the journal that holds it."""
    from trader.journal.journal import Journal

    places = [Path(journal)] if journal else sorted(_root(state_dir).glob("*/journal.db"))
    for place in places:
        with Journal.open(place, read_only=True) as opened:
            named = [str(entry.payload["sha"]) for entry in opened.entries(kinds=["policy"])]
            yield from ((sha, place) for sha in named if opened.has_blob(sha))


def _root(state_dir: str) -> Path:
    from trader.cli.statuses import find_root

    return find_root([], state_dir)


def meaning_of(dotted: str) -> str:
    """What the schema says about a key; names of the user stand where it has `*`."""
    from trader.policy.describing import description_of

    return description_of(dotted)


def value_text(value: Any) -> str:
    """A value as YAML would show it; nothing where there is none."""
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False).replace('"', "")
    return str(value) if value != "" else '""'

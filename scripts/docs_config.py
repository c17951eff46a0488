"""The pages about configuration, one for each of the five files: keys from the schema, examples
that were just checked.

Lives here: their text. Must not live here: keys, defaults or bounds, which are the schema's; and
the examples themselves (see `docs_examples`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs_examples import EXAMPLES, Example

from trader.cli.policy_views import value_text
from trader.policy.checked import Checked
from trader.policy.checking import check_policy
from trader.policy.describing import KeyRow, key_rows, schema_of
from trader.policy.foreign_keys import FOREIGN
from trader.policy.showing import show
from trader.policy.sources import PROFILES, SECTIONS, find_sources, profile_bytes

ROOT = Path(__file__).resolve().parents[1]
NOTE = "<!-- Written by `python scripts/docs.py` from the program itself; do not edit. -->"
FOLDER = "docs/config"
ABOUT = {
    "app": "Who trades, where, and how long a pass may take. Keys of an exchange never stand here, "
    "only the names of the variables or files that hold them.",
    "policy": "What every order is held to. Two words that are often one elsewhere are two here: "
    "`exposure` is the value of what is held, `loss` is what is lost when every stop is hit.",
    "universe": "What may be traded, in three tiers, and which of them a regime of the market "
    "opens. All measures are taken from closed bars and from the quote that a decision sees, so "
    "that back-test, paper and live choose alike.",
    "signals": "What strategies share: defaults, named sets of numbers, and named rules.",
    "strategies": "Who decides. Each name is a strategy with a book of its own: rules written "
    "here, or a Python file below `strategies/`. See [rules](../rules.md) for the language of "
    "rules and [strategies](../strategies.md) for Python.",
}
LAYERS = (
    "Values are looked for in this order, the last that says something wins: the default below, "
    "the profile that `policy.profile` names, the files in the order of `-c`, and variables: "
    "`TRADER__SECTION__KEY`, here `{variable}`. `trader policy show` prints the result "
    "and where each value is from; `trader policy check` finds everything that is wrong at once."
)


def config_pages(note: str) -> dict[str, str]:
    """Path below the repository -> text."""
    pages = {f"{FOLDER}/{section}.md": _page(note, section) for section in SECTIONS}
    return pages | {f"{FOLDER}/words.md": _words(note)}


def _words(note: str) -> str:
    """What keys of other programs are called here."""
    lines = [note, "# Keys of other programs", ""]
    lines += ["An unknown key of this list is refused with what to write instead.", ""]
    lines += ["| there | here |", "|---|---|"]
    lines += [f"| `{word}` | {instead} |" for word, instead in FOREIGN.items()]
    return "\n".join([*lines, ""])


def _page(note: str, section: str) -> str:
    rows = [row for row in key_rows() if row.key.startswith(f"{section}.")]
    first = rows[0].key.replace("*", "NAME").upper().replace(".", "__")
    lines = [note, f"# {section}.yaml", "", ABOUT[section], ""]
    lines += [LAYERS.format(variable=f"TRADER__{first}"), ""]
    lines += ["`*` in a key stands for a name of your own.", "", "## Keys", ""]
    for prefixes, block in _blocks(section, rows):
        lines += _table(prefixes, block)
    if section == "policy":
        lines += _profiles()
    lines += ["## Examples", ""]
    lines += ["Each is laid over the files in `config/` and checked when this page is made.", ""]
    for example in EXAMPLES:
        if example.section == section:
            lines += _example(example)
    return "\n".join(lines)


def _blocks(section: str, rows: list[KeyRow]) -> Iterator[tuple[list[str], list[KeyRow]]]:
    """Keys that stand together; blocks with the very same keys are told once."""
    blocks: dict[str, list[KeyRow]] = {}
    for row in rows:
        blocks.setdefault(_above(row), []).append(row)
    found: dict[tuple[Any, ...], tuple[list[str], list[KeyRow]]] = {}
    for prefix, block in blocks.items():
        same = tuple((_leaf(row), row.default, row.kind, row.description) for row in block)
        found.setdefault(same, ([], block))[0].append(prefix.removeprefix(section).lstrip("."))
    yield from found.values()


def _above(row: KeyRow) -> str:
    return row.key.rpartition(".")[0]


def _leaf(row: KeyRow) -> str:
    return row.key.rpartition(".")[2]


def _table(prefixes: list[str], block: list[KeyRow]) -> list[str]:
    lines: list[str] = []
    if prefixes != [""]:
        lines += ["### " + ", ".join(f"`{prefix}`" for prefix in prefixes), ""]
        section = block[0].key.partition(".")[0]
        about = {prefix: schema_of(f"{section}.{prefix}") for prefix in prefixes}
        if len(set(about.values())) == 1:
            about = {"": about[prefixes[0]]}
        said = [f"`{name}`: {text}" if name else text for name, text in about.items() if text]
        lines += ["; ".join(said).capitalize() + ".", ""] if said else []
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for row in block:
        default = f"`{row.default}`" if row.default else ""
        lines.append(f"| `{_leaf(row)}` | {row.kind} | {default} | {row.description} |")
    return [*lines, ""]


def _profiles() -> list[str]:
    lines = ["## Profiles", "", "What `profile: NAME` lays below everything that you write:", ""]
    for name in PROFILES:
        lines += [f"`{name}`", "```yaml", profile_bytes(name).decode().rstrip(), "```", ""]
    return lines


def _example(example: Example) -> list[str]:
    """The text, and what `trader policy show` says of it then."""
    shown = {row.key: row for row in show(checked_example(example)).values}
    lines = [f"### {example.title}", "", example.say, "", "```yaml", example.text.strip(), "```"]
    if example.keys:
        lines += ["", "`trader policy show` then says:", "", "```"]
        lines += [f"{key} = {value_text(shown[key].value)}" for key in example.keys]
        lines += ["```"]
    return [*lines, ""]


def shipped() -> Checked:
    """The policy in config/."""
    return check_policy(find_sources(["config"], cwd=ROOT, env={}, system=ROOT), {})


def checked_example(example: Example) -> Checked:
    """The shipped policy with the example laid over it; raises PolicyError when it is none."""
    body = "".join(f"  {line}\n" for line in example.text.strip().splitlines())
    sources = find_sources(
        ["config", "-"], cwd=ROOT, env={}, stdin=f"{example.section}:\n{body}", system=ROOT
    )
    return check_policy(sources, {}, strategy_files=True)

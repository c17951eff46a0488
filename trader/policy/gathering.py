"""Sources and environment -> one tree of texts, with everything that is wrong on the way.

Lives here: which file may hold which section, how variables become keys, which files are missing,
what looks like a credential. Must not live here: the schema.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

from trader.policy.fields import close_to
from trader.policy.problems import Code, Problem, looks_like_credential, problem_of
from trader.policy.reading import Children, Mark, Node, decode, is_mapping, read_tree
from trader.policy.schema_calendar import CALENDAR_FILE
from trader.policy.sources import (
    ENV_PREFIX,
    PROFILES,
    SECTIONS,
    Source,
    beside,
    env_overrides,
    profile_bytes,
)
from trader.policy.tree import Path, find, merged, nested, walk
from trader.records import dataclass, field, replace

# Keys whose value may be written as a comma-separated text in a variable.
LIST_KEYS = frozenset(
    {
        *("instruments", "pairs", "deny", "tiers", "sides", "order_types", "venues"),
        *("sessions", "weekly", "holidays"),
    }
)
# Mappings whose keys are the user's own names: a variable may change an entry, never add one.
NAMED: tuple[Path, ...] = (
    ("strategies",),
    ("signals", "presets"),
    ("signals", "triggers"),
    ("universe", "regime", "states"),
)
VARIABLE_DEPTH_MAX = 8
CALENDAR: Path = ("policy", "calendar")
CALENDAR_LISTS = ("weekly", "dated", "holidays")


@dataclass(slots=True)
class Gathered:
    """What all sources say together.

    Attributes:
        tree: the merged sections. problems, warnings: found so far.
        broken: paths whose text could not be used: what depends on them is not judged.
        sections: label of a file -> its section ("" when its keys name the sections).
        folders: strategy -> folder of the file that named it (the last that named its `file`).
        labels: every file in order, for sorting problems.
        beside: path -> sha256 of each file that a source named and that was read for it.
    """

    tree: Node
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])
    broken: set[Path] = field(default_factory=set[Path])
    sections: dict[str, str] = field(default_factory=dict[str, str])
    folders: dict[str, str] = field(default_factory=dict[str, str])
    labels: list[str] = field(default_factory=list[str])
    beside: dict[str, str] = field(default_factory=dict[str, str])

    def where(self, file: str, path: Path) -> str:
        """The dotted key as it is written in that file."""
        section = self.sections.get(file, "")
        above = tuple(section.split(".")) if section else ()
        return ".".join(path[len(above) :] if path[: len(above)] == above else path)

    def note(self, code: Code | str, at: Mark, path: Path, message: str, hint: str = "") -> Problem:
        """A problem at a place of the tree."""
        name = code.name if isinstance(code, Code) else code
        return Problem(name, at.file, at.line, at.column, self.where(at.file, path), message, hint)


def gather(sources: Sequence[Source], env: Mapping[str, str]) -> Gathered:
    """Reads every source, lays them over each other and applies the variables."""
    out = Gathered(Node({}, Mark("", 0, 0)))
    missing: list[tuple[Source, Problem]] = []
    for source in sources:
        out.labels.append(source.label)
        out.sections[source.label] = source.section
        if source.fault is None:
            _add_source(out, source)
            continue
        problem = Problem(
            source.fault.code,
            source.label,
            0,
            0,
            "",
            source.fault.message,
            source.fault.hint,
        )
        if source.fault.code == Code.FILE_STRAY.name:
            out.warnings.append(problem)
        elif source.fault.code == Code.FILE_MISSING.name and source.section:
            missing.append((source, problem))
        else:
            out.problems.append(problem)
            _break(out, source)
    _add_missing(out, missing)
    for name, text in env_overrides(env):
        out.labels.append(f"env {name}")
        _add_variable(out, name, text)
    _lay_profile_below(out)
    _add_calendar_file(out, sources)
    _judge_values(out)
    return out


def _lay_profile_below(out: Gathered) -> None:
    """Puts the chosen profile under everything that is written; a name that is none is judged
    by the schema."""
    chosen = find(out.tree, ("policy", "profile"))
    if chosen is None or chosen.value not in PROFILES:
        return
    label = f"profile {chosen.value}"
    text, problems = decode(label, profile_bytes(str(chosen.value)))
    node, more = read_tree(label, text)
    if problems or more or node is None:
        raise AssertionError(f"{label}: {problems or more}")
    out.labels.insert(0, label)
    out.sections[label] = ""
    out.tree = merged(node, out.tree)


def _add_calendar_file(out: Gathered, sources: Sequence[Source]) -> None:
    """The windows of the calendar's own file, after those of policy.yaml: one list of each."""
    named = find(out.tree, (*CALENDAR, "file"))
    calendar = find(out.tree, CALENDAR)
    if named is None or calendar is None or not is_mapping(calendar.value):
        return
    file = named.value
    if not isinstance(file, str) or not re.fullmatch(CALENDAR_FILE, file):
        return  # for the schema to judge
    source = beside(_source_of(sources, named.at.file), file, ".".join(CALENDAR))
    out.warnings = [
        warning
        for warning in out.warnings
        if (warning.code, warning.file) != (Code.FILE_STRAY.name, source.label)
    ]
    if source.fault is not None:
        message = f"{source.label}: {source.fault.message}"
        path = (*CALENDAR, "file")
        out.problems.append(
            out.note(Code.CALENDAR_FILE, named.at, path, message, source.fault.hint)
        )
        out.broken.add(CALENDAR)
        return
    out.labels.append(source.label)
    out.sections[source.label] = source.section
    out.beside[str(FilePath(source.folder) / file)] = hashlib.sha256(source.data).hexdigest()
    _join_lists(out, calendar.value, _calendar_rows(out, source))


def _source_of(sources: Sequence[Source], label: str) -> Source:
    """The source of a label; for a variable the last that may hold the policy."""
    named = [source for source in sources if source.label == label]
    policies = [source for source in sources if source.section in {"", "policy"}]
    return (named or policies or list(sources))[-1]


def _calendar_rows(out: Gathered, source: Source) -> Children:
    """What a calendar file says, by key; nothing when it cannot be used."""
    text, problems = decode(source.label, source.data)
    node: Node | None = None
    if not problems:
        node, problems = read_tree(source.label, text)
    out.problems += problems
    if problems:
        out.broken.add(CALENDAR)
    if node is None:
        return {}
    holds = "a calendar file holds " + ", ".join(CALENDAR_LISTS)
    if not is_mapping(node.value):
        out.problems.append(out.note(Code.WRONG_KIND, node.at, CALENDAR, "must hold keys", holds))
        return {}
    rows: Children = {}
    for name, child in node.value.items():
        if name in CALENDAR_LISTS:
            rows[name] = child
            continue
        at, path = child.key_at or child.at, (*CALENDAR, name)
        out.problems.append(out.note(Code.UNKNOWN_KEY, at, path, "unknown key", holds))
    return rows


def _join_lists(out: Gathered, calendar: Children, rows: Children) -> None:
    """Appends the rows of the file to those of policy.yaml."""
    for name, child in rows.items():
        known = calendar.get(name)
        if known is None:
            calendar[name] = child
        elif isinstance(known.value, list) and isinstance(child.value, list):
            calendar[name] = replace(known, value=[*known.value, *child.value])
        elif isinstance(known.value, list):
            code = Code.NO_VALUE if child.absent else Code.WRONG_KIND
            message = "has no value" if child.absent else "must be a list"
            out.problems.append(out.note(code, child.at, (*CALENDAR, name), message))


def _break(out: Gathered, source: Source) -> None:
    out.broken.update([(source.section,)] if source.section else [(name,) for name in SECTIONS])


def _add_source(out: Gathered, source: Source) -> None:
    text, problems = decode(source.label, source.data)
    node: Node | None = None
    if not problems:
        node, problems = read_tree(source.label, text)
        if node is None and not problems:
            hint = "write {} to take every default"
            problems = [problem_of(Code.EMPTY, source.label, "says nothing", hint)]
    out.problems += problems
    if problems:
        _break(out, source)
    if node is None:
        return
    if not is_mapping(node.value):
        what = "keys and values" if source.section else "sections: " + ", ".join(SECTIONS)
        out.problems.append(out.note(Code.WRONG_KIND, node.at, (), f"must hold {what}"))
        _break(out, source)
        return
    if source.section:
        node = Node({source.section: node}, node.at)
    else:
        node = Node(_known_sections(out, node.value), node.at)
    _note_folders(out, source, node)
    out.tree = merged(out.tree, node)


def _known_sections(out: Gathered, children: Children) -> Children:
    known: Children = {}
    for name, child in children.items():
        if name in SECTIONS:
            known[name] = child
            continue
        near = close_to(name, SECTIONS)
        hint = near or "one of " + ", ".join(SECTIONS)
        at = child.key_at or child.at
        out.problems.append(out.note(Code.UNKNOWN_SECTION, at, (name,), "unknown section", hint))
        # What was meant is not known to be said: its rules are not asked.
        out.broken.update((section,) for section in SECTIONS if near.endswith(section))
    return known


def _note_folders(out: Gathered, source: Source, tree: Node) -> None:
    strategies = find(tree, ("strategies",))
    if strategies is None or not is_mapping(strategies.value):
        return
    for name, node in strategies.value.items():
        names_file = is_mapping(node.value) and "file" in node.value
        if names_file or name not in out.folders:
            out.folders[name] = source.folder


def _add_missing(out: Gathered, missing: list[tuple[Source, Problem]]) -> None:
    """A missing section is a problem unless another source provides it."""
    absent = [name for name in SECTIONS if find(out.tree, (name,)) is None]
    named: set[str] = set()
    for source, problem in missing:
        if source.section in absent and source.section not in named:
            named.add(source.section)
            out.problems.append(problem)
            _break(out, source)
    for name in absent:
        if name in named or (name,) in out.broken:
            continue
        label = out.labels[-1] if out.labels else "config"
        hint = "name a folder that has it with -c before this one"
        message = f"section {name} is missing"
        out.problems.append(problem_of(Code.FILE_MISSING, label, message, hint))
        out.broken.add((name,))


def _add_variable(out: Gathered, name: str, text: str) -> None:
    label = f"env {name}"
    at = Mark(label, 0, 0)
    path = [part.lower() for part in name.removeprefix(ENV_PREFIX).split("__")]
    problem = _misnamed(label, path) or _added_entry(out, label, path)
    if problem is not None:
        out.problems.append(problem)
        return
    leaf = _variable_value(out, path, text, at)
    if leaf is None:
        out.broken.add(tuple(path))
        return
    out.tree = merged(out.tree, nested(tuple(path), leaf, at))


def _misnamed(label: str, path: list[str]) -> Problem | None:
    """A variable whose name is no key at all."""
    if path[0] and path[0] not in SECTIONS:
        hint = close_to(path[0], SECTIONS) or "one of " + ", ".join(SECTIONS)
        return problem_of(Code.UNKNOWN_SECTION, label, "names no section", hint)
    if len(path) < 2 or "" in path or len(path) > VARIABLE_DEPTH_MAX:
        hint = f"write {ENV_PREFIX}SECTION__KEY"
        return problem_of(Code.BAD_NAME, label, "names no key", hint)
    return None


def _added_entry(out: Gathered, label: str, path: list[str]) -> Problem | None:
    """A variable that would add a strategy or a preset: it is a typo of an existing one."""
    for named in NAMED:
        deep = len(named)
        if tuple(path[:deep]) != named or len(path) <= deep or (path[0],) in out.broken:
            continue
        entry = path[: deep + 1]
        if find(out.tree, tuple(entry)) is None:
            siblings = find(out.tree, named)
            known = siblings.value if siblings and is_mapping(siblings.value) else {}
            message = f"there is no {'.'.join(entry)} in the files"
            return problem_of(Code.UNKNOWN_KEY, label, message, close_to(entry[-1], known))
    return None


def _variable_value(out: Gathered, path: list[str], text: str, at: Mark) -> Node | None:
    decoded, problems = decode(at.file, text.encode("utf-8", "surrogateescape"))
    if not problems and decoded.startswith(("[", "{")):
        node, problems = read_tree(at.file, decoded)
        out.problems += problems
        return node
    out.problems += problems
    if problems:
        return None
    if path[-1] in LIST_KEYS and decoded != "universe":
        items = [Node(item.strip(), at) for item in decoded.split(",") if item.strip()]
        return Node(items, at)
    return Node(decoded, at)


def _judge_values(out: Gathered) -> None:
    """Keys without a value, and values that are probably secrets, wherever they stand."""
    for path, node in walk(out.tree):
        if node.absent:
            hint = "write a value, or remove the line"
            out.problems.append(out.note(Code.NO_VALUE, node.at, path, "has no value", hint))
        is_place = bool(path) and path[-1].endswith(("_file", "_dir"))
        if isinstance(node.value, str) and not is_place and looks_like_credential(node.value):
            hint = "keep it in a variable or file, name that under app.exchange.credentials, "
            hint += "and replace the key: it has been written down"
            message = "looks like a credential"
            out.problems.append(out.note(Code.CREDENTIAL, node.at, path, message, hint))

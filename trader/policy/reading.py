"""YAML text -> a tree of texts that know their place. The only module that parses YAML.

Lives here: the YAML that is accepted: mappings, lists and scalars, each scalar kept as text (so
that no `no` becomes False and no `12:30:00` becomes 45000), no duplicate keys, anchors, tags or
second documents, everything bounded. Must not live here: what a key means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeGuard

import yaml

from trader.policy.problems import Code, Problem, shown
from trader.policy.sources import SIZE_BYTES_MAX
from trader.records import dataclass, field

DEPTH_MAX = 16
VALUES_MAX = 20_000
# Tabs are for comments only: the parsers disagree about them everywhere else.
_TAB = re.compile(r"^[^#\t\n]*\t", re.MULTILINE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: file as shown to the user, line and column from 1 (0: no place in a text)."""

    file: str
    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value and its place.

    Attributes:
        value: text, list of nodes, or mapping of nodes.
        at: where the value starts; key_at: where its key does, when it has one.
        absent: a key with nothing behind it.
        style: how a text is written, where its columns are those of the file: `plain` or a quote;
            `|` for lines as they stand; "" when the two differ.
    """

    value: str | list[Node] | dict[str, Node]
    at: Mark
    key_at: Mark | None = None
    absent: bool = False
    style: str = ""


Children = dict[str, Node]


def is_mapping(value: object) -> TypeGuard[Children]:
    """Whether a node's value is a mapping."""
    return isinstance(value, dict)


@dataclass(slots=True)
class _Reader:
    """State of one parse: where the text came from and what was found wrong."""

    label: str
    events: Iterator[Any]
    problems: list[Problem] = field(default_factory=list[Problem])
    values: int = 0

    def mark(self, event: Any) -> Mark:
        return Mark(self.label, event.start_mark.line + 1, event.start_mark.column + 1)

    def add(self, code: Code, at: Mark, message: str, hint: str = "", where: str = "") -> None:
        problem = Problem(code.name, at.file, at.line, at.column, where, message, hint)
        self.problems.append(problem)


class _Unusable(Exception):
    """The rest of a text cannot be read; the problem is already noted."""


def decode(label: str, data: bytes) -> tuple[str, list[Problem]]:
    """The text of a file, or the reasons why it is none."""
    if len(data) > SIZE_BYTES_MAX:
        message = f"is larger than {SIZE_BYTES_MAX} bytes"
        return "", [Problem(Code.TOO_LARGE.name, label, 0, 0, "", message)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        hint = "save the file as UTF-8"
        return "", [Problem(Code.NOT_UTF8.name, label, line, column, "", message, hint)]
    problems: list[Problem] = []
    for match in _CONTROL.finditer(text):
        message = f"control character U+{ord(match.group()):04X}"
        problems.append(_at(Code.CONTROL_CHARACTER, label, text, match.start(), message, ""))
        break
    for match in _TAB.finditer(text):
        hint = "use spaces"
        place = match.end() - 1
        problems.append(_at(Code.TAB, label, text, place, "a tab", hint))
        break
    return text, problems


def _at(code: Code, label: str, text: str, place: int, message: str, hint: str) -> Problem:
    line = text.count("\n", 0, place) + 1
    column = place - (text.rfind("\n", 0, place) + 1) + 1
    return Problem(code.name, label, line, column, "", message, hint)


def read_tree(label: str, text: str) -> tuple[Node | None, list[Problem]]:
    """The tree of one text, or None and the reasons; duplicate keys keep the first value."""
    reader = _Reader(label, iter(yaml.parse(text, Loader=_LOADER)))
    node: Node | None = None
    try:
        node = _document(reader)
    except _Unusable:
        node = None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what = error.problem or error.context or "cannot be parsed"
        hint = _syntax_hint(text, line)
        reader.add(Code.YAML_SYNTAX, Mark(label, line, column), f"not YAML: {what}", hint)
        node = None
    except yaml.YAMLError as error:
        what = str(error).splitlines()[0] if str(error) else "cannot be parsed"
        reader.add(Code.YAML_SYNTAX, Mark(label, 0, 0), f"not YAML: {what}")
        node = None
    return node, reader.problems


def _syntax_hint(text: str, line: int) -> str:
    """What usually stands in a line that is not YAML."""
    lines = ["", *text.split("\n"), ""]
    # The parser often complains one line after the cause.
    for here in (lines[line : line + 1], lines[max(0, line - 1) : line]):
        bare = "".join(here).strip()
        if bare.startswith(("%", "@", "`")) or re.search(r":\s+[%@`]", bare):
            return "put the value in quotes"
        if re.match(r"[\w.]+:[^\s/]", bare):
            return "a space belongs after the colon"
    return "look at the indentation, colons and brackets of this line and the one above"


def _document(reader: _Reader) -> Node | None:
    events = reader.events
    next(events)  # start of the stream
    first = next(events)
    if isinstance(first, yaml.StreamEndEvent):
        return None
    node = _node(reader, next(events), (), 0)
    next(events)  # end of the document
    after = next(events)
    if not isinstance(after, yaml.StreamEndEvent):
        hint = "keep one document in a file: remove ---"
        reader.add(Code.YAML_FEATURE, reader.mark(after), "a second document starts here", hint)
        raise _Unusable
    return None if node.absent else node


def _node(reader: _Reader, event: Any, path: tuple[str, ...], depth: int) -> Node:
    at = reader.mark(event)
    where = ".".join(path)
    reader.values += 1
    if reader.values > VALUES_MAX:
        reader.add(Code.TOO_LARGE, at, f"more than {VALUES_MAX} values in one file")
        raise _Unusable
    if depth > DEPTH_MAX:
        reader.add(Code.TOO_DEEP, at, f"more than {DEPTH_MAX} levels deep", "", where)
        raise _Unusable
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        hint = "write the value out"
        reader.add(Code.YAML_FEATURE, at, "anchors and aliases are not accepted", hint, where)
        raise _Unusable
    if event.tag is not None:
        hint = f"remove {shown(event.tag)}: types come from the key"
        reader.add(Code.YAML_FEATURE, at, "tags are not accepted", hint, where)
        if not isinstance(event, yaml.ScalarEvent):
            raise _Unusable
    if isinstance(event, yaml.ScalarEvent):
        absent = event.value == "" and not event.style
        return Node(event.value, at, absent=absent, style=_style(event))
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(reader, at, path, depth)
    return _mapping(reader, at, path, depth)


def _style(event: Any) -> str:
    """See Node."""
    if event.style == "|":
        return "|"
    start, end = event.start_mark, event.end_mark
    quotes = 2 if event.style in {"'", '"'} else 0
    if start.line != end.line or end.column - start.column - quotes != len(event.value):
        return ""
    return event.style if quotes else "plain"


def _sequence(reader: _Reader, at: Mark, path: tuple[str, ...], depth: int) -> Node:
    items: list[Node] = []
    for event in reader.events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        items.append(_node(reader, event, path, depth + 1))
    return Node(items, at)


def _mapping(reader: _Reader, at: Mark, path: tuple[str, ...], depth: int) -> Node:
    children: Children = {}
    for event in reader.events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key_at = reader.mark(event)
        if not isinstance(event, yaml.ScalarEvent):
            reader.add(Code.YAML_SYNTAX, key_at, "a key must be plain text", "", ".".join(path))
            raise _Unusable
        key = event.value
        if event.anchor is not None or event.tag is not None or key == "<<":
            hint = "write the value out"
            reader.add(Code.YAML_FEATURE, key_at, "anchors, tags and << are not accepted", hint)
            raise _Unusable
        child = _node(reader, next(reader.events), (*path, key), depth + 1)
        child.key_at = key_at
        if key in children:
            first = children[key].key_at or children[key].at
            hint = f"first written in line {first.line}; keep one"
            where = ".".join((*path, key))
            reader.add(Code.DUPLICATE_KEY, key_at, "is written twice", hint, where)
        else:
            children[key] = child
    return Node(children, at)

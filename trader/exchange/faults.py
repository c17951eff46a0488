"""Scripted faults: which request is hit, and what then goes wrong.

Here: the table of faults, their triggers, and what an action does to a reply. Not here: how bytes
are held back or torn (sockets.py carries out `Sending`).

A fault is JSON: {"method": "POST", "path": "/api/v3/order", "when": {"nth": 1}, "times": 1,
"action": "drop_after"}. `method` and `path` are regular expressions that must match whole (path
without query); `contains` is a regular expression searched in query and body. An action is a name
from ACTIONS, or an object {"name": ..., parameter: ...} that overrides the parts of it:

- process: whether the exchange carries the request out at all
- send: normal, drop, reset, dribble, cut, hold
- status, headers, body: replace these parts of the reply; `preset` names a ready-made one
- edit: changes to the reply's JSON, see `edited`
- delay_ms, gap_ms, cut_bytes, gate: see wire.Sending
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from trader.exchange.wire import Reply, Request, Sending
from trader.records import dataclass, field, replace

_HTML = [("Content-Type", "text/html")]
_BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
PRESETS: dict[str, tuple[int | None, list[tuple[str, str]] | None, bytes]] = {
    "html_502": (502, _HTML, _BAD_GATEWAY),
    "html_504": (504, _HTML, b"<html><body>504 Gateway Time-out</body></html>"),
    "html_403": (403, _HTML, b"<html><body>403 Forbidden (WAF)</body></html>"),
    "html_200": (200, _HTML, b"<html><body>Welcome</body></html>"),
    "null": (200, None, b"null"),
    "empty_object": (200, None, b"{}"),
    "empty": (200, None, b""),
    "array_of_null": (200, None, b"[null]"),
}
SENDS = ("normal", "drop", "reset", "dribble", "cut", "hold")


class FaultError(ValueError):
    """A fault script that cannot be carried out; the message names the part."""


@dataclass(frozen=True, slots=True)
class Action:
    """What goes wrong; the parts are independent of each other."""

    process: bool = True
    send: str = "normal"
    preset: str = ""
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None
    cut_json: bool = False
    edit: tuple[Mapping[str, Any], ...] = ()
    delay_ms: int = 0
    gap_ms: int = 20
    cut_bytes: int = 10
    gate: str = "gate"


ACTIONS: dict[str, Action] = {
    "delay": Action(delay_ms=1_000),
    "drop_before": Action(process=False, send="drop"),
    "drop_after": Action(send="drop"),
    "reset_before": Action(process=False, send="reset"),
    "reset_after": Action(send="reset"),
    "answer": Action(process=False),
    "replace": Action(),
    "edit": Action(),
    "cut_json": Action(cut_json=True),
    "cut": Action(send="cut"),
    "dribble": Action(send="dribble"),
    "hold": Action(send="hold"),
    **{name: Action(preset=name) for name in PRESETS},
}


@dataclass
class Fault:
    """One row of the table with its counters.

    nth: only that matching request (from 1); every: each k-th; probability: drawn from `seed`;
    times: how often at most (0: without end). `observed` counts effects that reached the client.
    """

    id: int
    script: Mapping[str, Any]
    method: re.Pattern[str]
    path: re.Pattern[str]
    contains: re.Pattern[str] | None
    nth: int
    every: int
    probability: float
    times: int
    action: Action
    rng: random.Random
    matched: int = 0
    injected: int = 0
    observed: int = 0

    def fires(self, request: Request) -> bool:
        """Count the request if it matches, and say whether this one is hit."""
        if not self.method.fullmatch(request.method) or not self.path.fullmatch(request.path):
            return False
        said = f"{request.query}&{request.body.decode('latin-1')}"
        if self.contains is not None and not self.contains.search(said):
            return False
        self.matched += 1
        if self.times and self.injected >= self.times:
            return False
        hit = (
            (not self.nth or self.matched == self.nth)
            and (not self.every or self.matched % self.every == 0)
            and (self.probability >= 1 or self.rng.random() < self.probability)
        )
        self.injected += hit
        return hit

    def apply(self, reply: Reply) -> Reply:
        """The reply as the fault makes it."""
        act = self.action
        status, headers, body = reply.status, list(reply.headers), reply.body
        if act.preset:
            new_status, new_headers, body = PRESETS[act.preset]
            status = new_status or status
            headers = headers if new_headers is None else new_headers
        if act.edit:
            body = edited(body, act.edit)
        if act.body is not None:
            body = act.body.encode()
        if act.cut_json:
            body = body[: len(body) // 2]
        headers += list(act.headers.items())
        sending = Sending(act.send, act.delay_ms, act.gap_ms, act.cut_bytes, act.gate, self._seen)
        return Reply(act.status or status, body, headers, reply.note, sending)

    def _seen(self, count: int) -> None:
        self.observed += count

    def as_json(self) -> dict[str, Any]:
        """The script and how often it matched, was injected and was observed."""
        counts = {"matched": self.matched, "injected": self.injected, "observed": self.observed}
        return {"id": self.id, **self.script, **counts}


class FaultTable:
    """Faults in order: of those that a request sets off, the first is carried out."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._next_id = 1

    def add(self, scripts: Sequence[Mapping[str, Any]]) -> list[int]:
        """Add scripts (all or none); their ids. Raises FaultError."""
        made = [_parse(self._next_id + i, script) for i, script in enumerate(scripts)]
        self._next_id += len(made)
        self.faults += made
        return [fault.id for fault in made]

    def clear(self) -> None:
        """Remove every fault."""
        self.faults = []

    def match(self, request: Request) -> Fault | None:
        """The fault that hits this request; every matching fault counts it."""
        hits = [fault for fault in self.faults if fault.fires(request)]
        for late in hits[1:]:
            late.injected -= 1
        return hits[0] if hits else None


def edited(body: bytes, edits: tuple[Mapping[str, Any], ...]) -> bytes:
    """The JSON body with edits {"op", "at", "value"} applied in order.

    `at` is a list of keys and indexes (negative from the end; "*" for every element). op: set,
    delete, keep (only these keys), repeat (an element twice), reverse (a list), first (n elements).
    """
    tree: list[Any] = [json.loads(body)]
    for edit in edits:
        _edit(tree, [0, *edit.get("at", [])], edit)
    return json.dumps(tree[0], separators=(",", ":")).encode()


def _edit(node: Any, at: list[Any], edit: Mapping[str, Any]) -> None:
    key, rest = at[0], at[1:]
    if key == "*":
        rows = cast("list[Any] | dict[str, Any]", node)
        for one in range(len(rows)) if isinstance(rows, list) else list(rows):
            _edit(node, [one, *rest], edit)
        return
    try:
        if rest:
            _edit(node[key], rest, edit)
        else:
            _apply(node, key, edit)
    except (KeyError, IndexError, TypeError):
        return  # the reply has no such part (an error, an empty list): nothing to falsify


def _apply(node: Any, key: Any, edit: Mapping[str, Any]) -> None:
    op, value = edit["op"], edit.get("value")
    if op == "set":
        node[key] = value
    elif op == "delete":
        del node[key]
    elif op == "keep":
        node[key] = {name: node[key][name] for name in value or () if name in node[key]}
    elif op == "repeat":
        node.insert(key if key >= 0 else len(node) + key, node[key])
    elif op == "reverse":
        node[key] = node[key][::-1]
    elif op == "first":
        node[key] = node[key][:value]


def _parse(fault_id: int, script: Mapping[str, Any]) -> Fault:
    unknown = set(script) - {"method", "path", "contains", "when", "times", "action", "name"}
    if unknown:
        raise FaultError(f"unknown part of a fault: {', '.join(sorted(unknown))}")
    when: Mapping[str, Any] = script.get("when", {})
    strange = set(when) - {"nth", "every", "probability", "seed"}
    if strange:
        raise FaultError(f"unknown part of when: {', '.join(sorted(strange))}")
    try:
        return Fault(
            id=fault_id,
            script=dict(script),
            method=re.compile(script.get("method", ".*")),
            path=re.compile(script.get("path", ".*")),
            contains=re.compile(script["contains"]) if "contains" in script else None,
            nth=int(when.get("nth", 0)),
            every=int(when.get("every", 0)),
            probability=float(when.get("probability", 1)),
            times=int(script.get("times", 0)),
            action=_parse_action(script.get("action")),
            rng=random.Random(int(when.get("seed", 0))),  # noqa: S311 # nosec B311 - seeded, no secret
        )
    except (re.error, TypeError, ValueError) as error:
        raise FaultError(f"not a fault: {error}") from error


def _parse_action(given: Any) -> Action:
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, dict):
        raise FaultError("a fault needs an action: a name or an object with a name")
    parts = dict(cast("dict[str, Any]", given))
    name = parts.pop("name", "replace")
    if name not in ACTIONS:
        raise FaultError(f"no action {name!r}; known: {', '.join(ACTIONS)}")
    unknown = set(parts) - {part.name for part in fields(Action)}
    if unknown:
        raise FaultError(f"action {name}: unknown {', '.join(sorted(unknown))}")
    if "edit" in parts:
        parts["edit"] = tuple(parts["edit"])
    action = replace(ACTIONS[name], **parts)
    if action.send not in SENDS or (action.preset and action.preset not in PRESETS):
        raise FaultError(f"action {name}: send or preset is unknown")
    return action

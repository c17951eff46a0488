"""Shared history: outputs of several programs over the same bars, equal sub-expressions once.

Lives here: how programs on one timeframe of one instrument, of other strategies or of one with
other numbers, are put together into one, and who is told what of its columns. Equal keys over equal
rows have equal values (see `rules`), and rows are equal where the warm-up is. Must not live here:
how rows are evaluated (`history`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trader.core.frames import Frames
from trader.core.history import ROWS_AT_ONCE, History, Sink
from trader.core.rules import Bound, Column, Node
from trader.records import dataclass, replace

# Doubles that the columns of one go may take together.
DOUBLES = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """Outputs of a program that a sink wants to be told of, on rows [start, stop) of `span`."""

    bound: Bound
    symbol: str
    names: Sequence[str]
    span: tuple[int, int]
    sink: Sink


def tell_together(
    requests: Sequence[Request], frames: Frames, work_rows: int = ROWS_AT_ONCE
) -> None:
    """Tell every request its rows, in order."""
    groups: dict[Any, list[Request]] = {}
    for at, one in enumerate(requests):
        history = _history(one.bound, frames, one, one.names, work_rows)
        frame = one.bound.frames[0]
        # A program that looks at other timeframes stays alone.
        key = (one.symbol, one.span, frame.timeframe, frame.warmup, history.exact)
        groups.setdefault(key if history.alone else at, []).append(one)
    for group in groups.values():
        if len(group) == 1:
            one = group[0]
            _history(one.bound, frames, one, one.names, work_rows).tell(*one.span, one.sink)
            continue
        bound = merged(group)
        names = list(bound.outputs)
        history = _history(bound, frames, group[0], names, work_rows)
        history.tell(*group[0].span, _sinks(group))


def _history(
    bound: Bound, frames: Frames, one: Request, names: Sequence[str], work_rows: int
) -> History:
    rows = min(work_rows, max(1, DOUBLES // max(1, len(bound.nodes))))
    return History(bound, frames, one.symbol, names, None, rows)


def merged(group: Sequence[Request]) -> Bound:
    """One program of the outputs of several, named by `_name`; its nodes have the same keys."""
    nodes: list[Node] = []
    place: dict[str, int] = {}
    outputs: dict[str, int] = {}
    for number, one in enumerate(group):
        moved: dict[int, int] = {}
        wanted = sorted({i for n in one.names for i in one.bound.below(one.bound.outputs[n])})
        for i in wanted:
            node = one.bound.nodes[i]
            if node.key not in place:
                place[node.key] = len(nodes)
                nodes.append(replace(node, args=tuple(moved[j] for j in node.args)))
            moved[i] = place[node.key]
        outputs |= {_name(number, n): moved[one.bound.outputs[n]] for n in one.names}
    exact = all(node.exact for node in nodes)
    frame = replace(group[0].bound.frames[0], exact=exact, order=tuple(range(len(nodes))))
    return Bound(tuple(nodes), outputs, (frame,))


def _name(number: int, name: str) -> str:
    return f"{number} {name}"


def _sinks(group: Sequence[Request]) -> Callable[[Mapping[str, Column], int, int, int], None]:
    """Who is told what of the columns of a merged program."""
    names = [
        [(name, _name(number, name)) for name in one.names] for number, one in enumerate(group)
    ]

    def tell(columns: Mapping[str, Column], first: int, at: int, stop: int) -> None:
        for one, pairs in zip(group, names, strict=True):
            one.sink({own: columns[name] for own, name in pairs}, first, at, stop)

    return tell

"""The plain program of a set of rules: equal sub-expressions are one node.

Lives here: the nodes while they are made, and the plain data that is journaled, hashed and
evaluated. Must not live here: names, types; what a node means (see `core.rules`).

    {"nodes": [[op, timeframe, [argument nodes], [numbers], text], ...], "outputs": {"enter": 7}}

A node stands behind its arguments. `timeframe` is "" for the strategy's own bars, else the higher
one of the enclosing on(). A number is decimal text, or `$name` of a parameter of the strategy.

| op | arguments | numbers | text |
|---|---|---|---|
| column | | | open high low close volume hl2 hlc3 ohlc4 |
| number | | the value | |
| indicator | its series, if it takes any | in its table's order; a session last, as `1d` | `name` or `name.output` |
| back | x (series or condition) | k: the value k rows earlier | |
| neg, abs, not | x | | |
| add sub mul div min max | a, b | | |
| gt ge lt le eq ne | a, b | | |
| and, or | a, b | | |
| crosses_above, crosses_below | a, b | | |
| rising, falling | x | n: over n steps | |
| any, all | condition | n: of the last n rows | |
| on | x, a node of the higher timeframe | | the higher timeframe |
"""  # noqa: E501  the table is wider than a line of code

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NODES_MAX = 500
# The evaluator names a value by its text: what is shared many times over would grow without end.
WRITTEN_MAX = 3_000

Row = tuple[str, str, tuple[int, ...], tuple[str, ...], str]
Program = dict[str, Any]


class Nodes:
    """The nodes made so far, each once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._known: dict[Row, int] = {}

    def add(
        self,
        op: str,
        timeframe: str,
        arguments: Sequence[int] = (),
        numbers: Sequence[str] = (),
        text: str = "",
    ) -> int:
        """The node's index; an equal one is not made again."""
        row = (op, timeframe, tuple(arguments), tuple(numbers), text)
        known = self._known.get(row)
        if known is None:
            known = self._known[row] = len(self.rows)
            self.rows.append(row)
        return known

    def reads_bars(self, node: int) -> bool:
        """Whether any bar can change the node's value."""
        return any(self.rows[i][0] in {"column", "indicator"} for i in self.below([node]))

    def written(self, top: int) -> int:
        """How many parts a node has when nothing is shared: as it would be written out."""
        parts: list[int] = []
        for _, _, arguments, _, _ in self.rows[: top + 1]:
            parts.append(1 + sum(parts[i] for i in arguments))
        return parts[top]

    def below(self, tops: Sequence[int]) -> list[int]:
        """The nodes that `tops` are computed from, themselves included, in order."""
        found: set[int] = set()
        left = list(tops)
        while left:
            node = left.pop()
            if node not in found:
                found.add(node)
                left += self.rows[node][2]
        return sorted(found)

    def program(self, outputs: Mapping[str, int]) -> Program:
        """The plain program: only what the outputs need, numbered anew."""
        kept = self.below(list(outputs.values()))
        place = {old: new for new, old in enumerate(kept)}
        rows = [self.rows[old] for old in kept]
        return {
            "nodes": [
                [op, timeframe, [place[i] for i in arguments], list(numbers), text]
                for op, timeframe, arguments, numbers, text in rows
            ],
            "outputs": {name: place[node] for name, node in outputs.items()},
        }

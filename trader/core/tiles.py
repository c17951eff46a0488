"""Tiles: programs with fading averages over many anchor blocks at once.

Lives here: a layout in which each block has its own last warm-up rows before it, so that everything
but the averages can be computed in one go, while each average runs from its block's own start, four
blocks side by side. Values are those of `frames`, to the bit. Must not live here: which rows are
asked (`history`), what a node computes (`rules`, `averages`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from trader.core.averages import faded_tiles, tile_rows
from trader.core.rule_kernels import near_rows
from trader.core.rules import Bound, Node, fill, new_column, new_state
from trader.core.strategy import NEAR, PRICES, Window

# Rows before its own that a tile may have, in own rows.
DEPTH_MOST = 4
# Weight of a newest value, of averages that run side by side.
WEIGHTS: dict[str, Callable[[int], float]] = {
    "ema": lambda n: 2.0 / (n + 1),
    "rma": lambda n: 1.0 / n,
}


def is_mean(node: Node) -> bool:
    """Whether a node is a simple moving average."""
    return node.indicator is not None and node.indicator.name == "sma"


def is_faded(bound: Bound, node: Node) -> bool:
    """Whether a node is an average that fades, of a price column."""
    if node.indicator is None or node.indicator.name not in WEIGHTS:
        return False
    below = bound.nodes[node.args[0]]
    return below.form == "column" and below.columns[0] in PRICES


class Tiles:
    """The nodes of one program over tiles of `depth` + `own` rows."""

    def __init__(self, bound: Bound, order: list[int], warmup: int, own: int, count: int) -> None:
        """`order`: the nodes, arguments first; `own`: rows of an anchor block, `count`: of how
        many at most."""
        self.bound, self.order, self.warmup, self.own = bound, order, warmup, own
        self.depth = max(1, _depth(bound, order))
        self.width = self.depth + own
        self.columns: dict[int, Any] = {}
        self._made: dict[str, Any] = {}
        self._outs: dict[int, list[Any]] = {}
        rows = count * self.width
        for index in order:
            node = bound.nodes[index]
            keys = node.lines or (node.key,)
            if node.key not in self._made:
                self._made.update((key, new_column(node, rows)) for key in keys)
                self._outs[index] = [self._made[key] for key in keys]
            self.columns[index] = self._made[node.key]
        self._bars: dict[str, Any] = {}
        self._rows = rows

    @property
    def fits(self) -> bool:
        """Whether every average has a value where a tile begins, and tiles are mostly own rows."""
        kept = self.warmup - self.depth
        if self.depth > DEPTH_MOST * self.own:
            return False
        nodes = (self.bound.nodes[index] for index in self.order)
        return all(kept >= node.numbers[0] for node in nodes if is_faded(self.bound, node))

    def run(self, bars: Window, count: int) -> bool:
        """Fill the tiles of `count` blocks; `bars` begin with the warm-up of the first and hold
        every bar to the end of the last. False: the sums of a mean were not exact (see `history`).
        """
        shape = (self.warmup, self.own, self.depth, count)
        tiled = _Tiled(bars, shape, self._bars)
        rows = count * self.width
        for index, outs in self._outs.items():
            node = self.bound.nodes[index]
            if node.form == "column":
                tile_rows(getattr(bars, node.columns[0]), *shape, outs[0])
            elif is_faded(self.bound, node):
                n = int(node.numbers[0])
                source = self.bound.nodes[node.args[0]].columns[0]
                assert node.indicator is not None
                weight = WEIGHTS[node.indicator.name](n)
                faded_tiles(getattr(bars, source), n, weight, *shape, outs[0])
            else:
                args = [self.columns[i] for i in node.args]
                fill(node, tiled, args, outs, 0, rows, new_state(node))
        means = {
            node.args[0] for node in (self.bound.nodes[i] for i in self.order) if is_mean(node)
        }
        return all(near_rows(self.columns[source], 0, rows, NEAR) for source in means)


class _Tiled:
    """Columns of bars as tiles, made when a node asks for them."""

    def __init__(
        self, bars: Window, shape: tuple[int, int, int, int], kept: dict[str, Any]
    ) -> None:
        self._bars, self._shape, self._kept = bars, shape, kept

    def __getattr__(self, name: str) -> Any:
        """Rows of a float column."""
        warm, own, depth, count = self._shape
        out = self._kept.get(name)
        if out is None or len(out) < count * (depth + own):
            out = self._kept[name] = array("d", bytes(8 * count * (depth + own)))
        tile_rows(getattr(self._bars, name), warm, own, depth, count, out)
        setattr(self, name, out)
        return out


def _depth(bound: Bound, order: list[int]) -> int:
    """Rows before a row that any node reads, averages that fade not counted."""
    depths: dict[int, int] = {}
    for index in order:
        node = bound.nodes[index]
        below = max((bound.nodes[i].warmup for i in node.args), default=0)
        own = 0 if is_faded(bound, node) else node.warmup - below
        depths[index] = own + max((depths[i] for i in node.args), default=0)
    return max(depths.values(), default=0)

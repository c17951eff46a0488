"""One random rule over random bars, looked at in every way that must not change its values.

Lives here: the made markets, and a check for each claim; a check gives a sentence when the claim is
broken. Must not live here: how rules are made (`rule_making`), counting and telling (`rules_fuzz`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import exp, isfinite
from random import Random
from typing import Any

from trader.bars.resample import resample
from trader.core.frames import Block, Frames
from trader.core.history import evaluate_history
from trader.core.rules import Bound, Node, bound_of, fill, new_column, new_state
from trader.core.series import Series, build_series

SYMBOL, OWN = "BTC/USDT", "15m"
STEP_MS, HOUR_MS = 900_000, 3_600_000
START_MS = 1_699_833_600_000  # a Monday: weeks and days begin here too
ROWS, ROWS_LAST = 9_600, 600
COMPARISONS = frozenset({"gt", "ge", "lt", "le", "eq", "ne", "rising", "falling"})
CROSSES = frozenset({"crosses_above", "crosses_below"})
# What is left of where a series starts, of the difference that it makes (see `Indicator.settled`).
RESIDUAL = exp(-10.0)
Held = Mapping[tuple[str, str], Series]


def made_market(seed: int) -> dict[tuple[str, str], Series]:
    """A random walk with flat stretches and absent bars; hours of its own, resampled."""
    rng = Random(f"market {seed}")
    holes, calm = rng.choice([0.0, 0.01, 0.05]), rng.choice([0.0, 0.1, 0.5])
    price, width = 10_000, rng.choice([5, 60, 300])
    rows: list[tuple[int, int, int, int, int, float]] = []
    for i in range(ROWS):
        opened = price
        if rng.random() >= calm:
            price = max(500, price + rng.randint(-width, width))
        high = max(opened, price) + rng.randrange(0, 1 + width // 3)
        low = min(opened, price) - rng.randrange(0, 1 + width // 3)
        volume = rng.choice([0.0, 1.0, rng.uniform(0.001, 900.0)])
        if rng.random() >= holes:
            rows.append((START_MS + i * STEP_MS, opened, high, max(1, low), price, volume))
    own = build_series(SYMBOL, STEP_MS, Decimal("0.01"), rows)
    hours = {"1h": HOUR_MS, "4h": 4 * HOUR_MS}
    found = {(SYMBOL, name): resample(own, step_ms) for name, step_ms in hours.items()}
    return {(SYMBOL, OWN): own, **found}


@dataclass
class Case:
    """A rule, where it is looked at, and the anchor block.

    Attributes:
        row: of the newest bar, in the series. anchor: rows of the block; other: of another one.
    """

    bound: Bound
    held: Held
    row: int
    anchor: int
    other: int
    chance: Random

    @property
    def bar_ms(self) -> int:
        """Open time of the newest bar."""
        return self.held[SYMBOL, OWN].open_ms[self.row]

    def block(self, held: Held, anchor: int, close_ms: int) -> Block:
        """The block that holds the bar, as a decision at `close_ms` sees it."""
        frames = Frames(held, close_ms, anchor)
        found = frames.block(SYMBOL, self.bound.frames[0], self.bar_ms)
        assert found is not None
        return found

    def now(self, held: Held | None = None, anchor: int = 0) -> Block:
        """As the decision at the bar's close sees it."""
        close_ms = self.bar_ms + STEP_MS
        return self.block(held or self.held, anchor or self.anchor, close_ms)


def made_case(
    program: Mapping[str, Any], numbers: Mapping[str, float], held: Held, chance: Random
) -> Case:
    """A place near the end of a market, where every warm-up lies before it."""
    bound = bound_of(program, numbers, OWN, STEP_MS)
    row = len(held[SYMBOL, OWN]) - 1 - chance.randrange(ROWS_LAST)
    anchor = chance.choice([5, 12, 20, 32])
    other = chance.choice([n for n in (4, 7, 16, 27, 40) if n != anchor])
    return Case(bound, held, row, anchor, other, chance)


def columns_of(case: Case, block: Block) -> dict[str, bytes]:
    """Every output over the rows of a block."""
    outputs = case.bound.outputs.items()
    return {name: bytes(memoryview(block.column(case.bound, i))) for name, i in outputs}


def width_of(case: Case, name: str) -> int:
    """Bytes of a row of an output."""
    return 1 if case.bound.nodes[case.bound.outputs[name]].flags else 8


# --- the claims ----------------------------------------------------------------------------------


def future(case: Case) -> str:
    """Cutting off the future never changes the past."""
    series = case.held[SYMBOL, OWN]
    last = min(len(series) - 1, case.row + case.chance.randrange(1, 40))
    late = case.block(case.held, case.anchor, series.open_ms[last] + STEP_MS)
    cut = {
        key: one.slice(0, one.index_of(case.bar_ms + STEP_MS - one.step_ms + 1))
        for key, one in case.held.items()
    }
    early = case.now(cut)
    whole = columns_of(case, late)
    for name, rows in columns_of(case, early).items():
        if whole[name][: len(rows)] != rows:
            return f"{name} changes when later bars are there"
    return ""


def history(case: Case) -> str:
    """Random lengths of history at hand give equal bits."""
    now = case.now()
    wanted = columns_of(case, now)
    firsts = _firsts(case, now)
    for extra in (0, case.chance.randrange(1, 50)):
        cut = {
            key: one.slice(max(0, firsts.get(key, len(one)) - extra), len(one))
            for key, one in case.held.items()
        }
        if columns_of(case, case.now(cut)) != wanted:
            return f"values change with {extra} more bars of history"
    return ""


def _firsts(case: Case, now: Block) -> dict[tuple[str, str], int]:
    """By series, the first row that the block's values read."""
    found = {(SYMBOL, OWN): now.first}
    frames = Frames(case.held, case.bar_ms + STEP_MS, case.anchor)
    for frame in case.bound.frames[1:]:
        other = case.held[SYMBOL, frame.timeframe]
        seen = other.index_of(now.bars.open_ms[0] + STEP_MS - frame.step_ms + 1) - 1
        rows = frames.rows(SYMBOL, frame, other.open_ms[max(0, seen)])
        assert rows is not None
        key = (SYMBOL, frame.timeframe)
        found[key] = min(rows[0], found.get(key, rows[0]))
    return found


def incremental(case: Case) -> str:
    """One call over all rows and calls of a few rows each give equal bits, for every node."""
    frames = Frames(case.held, case.bar_ms + STEP_MS, case.anchor)
    for place, frame in enumerate(case.bound.frames):
        series = case.held[SYMBOL, frame.timeframe]
        newest = series.index_of(case.bar_ms + STEP_MS - frame.step_ms + 1) - 1
        block = frames.block(SYMBOL, frame, series.open_ms[max(0, newest)])
        assert block is not None
        odd = _row_by_row(case, block, case.bound.frames[place].order)
        if odd:
            return f"{odd} differs when it is computed row by row"
    return ""


def _row_by_row(case: Case, block: Block, order: Sequence[int]) -> str:
    nodes, rows = case.bound.nodes, len(block)
    columns: dict[int, Any] = {}
    calls: list[tuple[Node, list[Any], list[Any], array[float] | None]] = []
    for index in order:
        node = nodes[index]
        if node.form in {"column", "on"}:
            columns[index] = block.column(case.bound, index)
            continue
        keys = node.lines or (node.key,)
        outs = [new_column(node, rows) for _ in keys]
        columns[index] = outs[keys.index(node.key)]
        calls.append((node, [columns[i] for i in node.args], outs, new_state(node)))
    at = 0
    while at < rows:
        few = 1 if at > rows - 24 else case.chance.randrange(1, 64)
        stop = min(rows, at + few)
        for node, args, outs, state in calls:
            fill(node, block.bars, args, outs, at, stop, state)
        at = stop
    for index in order:
        if bytes(memoryview(columns[index])) != bytes(memoryview(block.column(case.bound, index))):
            return nodes[index].text
    return ""


def whole_history(case: Case) -> str:
    """A history evaluated at once says at the bar what its decision says."""
    series = case.held[SYMBOL, OWN]
    now = columns_of(case, case.now())
    begin = max(0, case.row - 400)
    cut = dict(case.held)
    cut[SYMBOL, OWN] = series.slice(max(0, begin - 600), case.row + 1)
    said = evaluate_history(case.bound, Frames(cut, 2**60, case.anchor), SYMBOL)
    for name, column in said.items():
        width = width_of(case, name)
        if bytes(memoryview(column))[-width:] != now[name][-width:]:
            return f"{name} of a whole history differs from its decision's"
    return ""


CLAIMS: dict[str, Callable[[Case], str]] = {
    "future": future,
    "history": history,
    "incremental": incremental,
    "whole_history": whole_history,
}


# --- shifted anchors -----------------------------------------------------------------------------


def memories_of(bound: Bound) -> set[str]:
    """Which memories the indicators below have."""
    return {node.indicator.memory for node in bound.nodes if node.indicator is not None}


def shifted(case: Case) -> str:
    """What another anchor does to the condition: "same", "near tie", "compound" (a fading value
    is compared after it went through a ratio or another indicator, where the residual that is
    declared says nothing), or a sentence: a flip that must not be."""
    one, other = case.now(), case.now(anchor=case.other)
    index = case.bound.outputs["enter"]
    said = [block.column(case.bound, index)[-1] for block in (one, other)]
    if said[0] == said[1]:
        return "same"
    if "fading" not in memories_of(case.bound):
        return f"enter was {said[0]}, is {said[1]} from another anchor, though nothing fades"
    kinds = {_tie(case, one, other, i) for i in case.bound.frames[0].order}
    for worst in ("compound", "near tie"):
        if worst in kinds:
            return worst
    return f"enter was {said[0]}, is {said[1]} from another anchor, outside the residual"


def _tie(case: Case, one: Block, other: Block, index: int) -> str:
    """How a comparison's values relate, where it flips within the rows both blocks have."""
    node = case.bound.nodes[index]
    if node.op not in COMPARISONS | CROSSES and node.op != "on":
        return ""
    rows = min(64, len(one), len(other))
    flags = [memoryview(block.column(case.bound, index))[-rows:] for block in (one, other)]
    if not node.flags or bytes(flags[0]) == bytes(flags[1]):
        return ""
    if node.op == "on" or not all(_plain(case.bound, i) for i in node.args):
        return "compound"
    spans = sum(_span(block.column(case.bound, i)) for block in (one, other) for i in node.args)
    for row in range(1, rows + 1):
        gaps = _gaps(case, (one, other), node, row)
        if flags[0][-row] != flags[1][-row] and min(gaps) > RESIDUAL * spans:
            return "outside"
    return "near tie"


def _gaps(case: Case, blocks: tuple[Block, Block], node: Node, row: int) -> list[float]:
    """Distances between what is compared on a row and, for steps, on those before it."""
    found: list[float] = []
    for block in blocks:
        columns = [block.column(case.bound, i) for i in node.args]
        if len(columns) == 2:
            backs = (row, row + 1) if node.op in CROSSES else (row,)
            found += [abs(columns[0][-k] - columns[1][-k]) for k in backs if k <= len(block)]
        else:
            steps = range(row, min(row + node.whole, len(block)))
            found += [abs(columns[0][-k] - columns[0][-k - 1]) for k in steps]
    return [gap for gap in found if isfinite(gap)] or [0.0]


def _span(column: Sequence[float]) -> float:
    values = [value for value in column if isfinite(value)]
    return max(values) - min(values) if values else 0.0


def _plain(bound: Bound, index: int) -> bool:
    """Whether what fades reaches this node unamplified: sums, differences and multiples of it."""
    node = bound.nodes[index]
    if node.exact:
        return True
    if node.indicator is not None:
        return all(bound.nodes[i].exact for i in node.args)
    if node.op in {"mul", "div"}:
        scaled = bound.nodes[node.args[1]].op == "number"
        return scaled and _plain(bound, node.args[0])
    plain_ops = {"add", "sub", "min", "max", "neg", "abs", "back"}
    return node.op in plain_ops and all(_plain(bound, i) for i in node.args)

"""What an engine told of a back-test, as plain data that is compared byte for byte.

Lives here: running one engine over a case, everything that came of it, its hash, and the first
difference of two of them. Must not live here: how cases are drawn, and processes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from trader.app import backtest_fast
from trader.app.backtest import BacktestResult, open_books, run_backtest
from trader.app.backtest_inputs import BacktestInputs
from trader.app.backtest_report import build_report
from trader.app.columns_pool import columns_of
from trader.core.canonical import canonical
from trader.core.fast import FastSimulation, pairs_of
from trader.core.money import AmountOverflow
from trader.core.simulate import Simulation
from trader.core.state import PROJECTIONS, State
from trader.errors import DataError

Rows = dict[str, list[str]]
REFERENCE, FAST = "reference", "fast"
PLAN = ("bar_ms", "legs", "refused", "stops")


@dataclass(frozen=True, slots=True)
class Told:
    """By part (curve, closed, state ...): its rows as text. `fills`: how many. `lanes`: bars of the
    fast lane and slow bars, (0, 0) when the engine has no lanes. `plans`: by bar, whole plans."""

    rows: Rows
    fills: int
    lanes: tuple[int, int] = (0, 0)
    plans: Mapping[int, str] = field(default_factory=dict[int, str])

    def digest(self) -> str:
        """One hash of everything."""
        return hashlib.sha256(canonical(self.rows).encode()).hexdigest()


def told_result(inputs: BacktestInputs, engine: str) -> Told:
    """What the back-test as a whole says; that it refuses, because its numbers do not fit or for
    another reason, is told too."""
    try:
        result = run_backtest(inputs, engine=engine)
    except DataError as error:
        return Told({"refused": [str(error)]}, 0)
    rows: Rows = {
        "curve_ms": [str(at_ms) for at_ms in result.curve_ms],
        "curve_units": [str(units) for units in result.curve_units],
        "closed": [plain(trip) for trip in result.closed],
        "open": [f"{plain(left.trip)} {left.qty_units} {left.value_units}" for left in result.open],
        "counts": _pairs({**result.refusals, **result.quiet, **result.universe}),
        "sent": [f"{result.sent} {result.unfilled} {result.turnover_units}"],
        "fills": [*result.fills.names, *(str(list(fill)) for fill in result.fills)],
        "market": [*_pairs(result.market), *_pairs(result.bars)],
        "statistics": [plain(result.statistics)],
        "report": report_lines(result),
        **state_rows(result.state),
    }
    return Told(rows, len(result.fills))


def told_in_steps(inputs: BacktestInputs, bars: int) -> Told:
    """The fast back-test, so many bars at once."""
    kept = backtest_fast.BARS_AT_ONCE
    setattr(backtest_fast, "BARS_AT_ONCE", bars)  # noqa: B010 - a number of the module, exchanged
    try:
        return told_result(inputs, FAST)
    finally:
        setattr(backtest_fast, "BARS_AT_ONCE", kept)  # noqa: B010 - put back


class InBlocks(FastSimulation):
    """The fast engine over columns that were worked out in blocks, by several processes."""

    work_rows, workers = 32_768, 1

    def begin(self, start_ms: int, end_ms: int, columns: Any = None) -> None:
        """With columns of its own."""
        assert columns is None
        pairs = pairs_of(self.parameters, self.series)
        made = columns_of(
            self.parameters,
            self.strategies,
            self.series,
            pairs,
            self.workers,
            work_rows=self.work_rows,
            want=(start_ms, end_ms),
            bars_least=0,
        )
        super().begin(start_ms, end_ms, made)


def in_blocks(work_rows: int, workers: int) -> type[InBlocks]:
    """That engine with these numbers."""
    return type("InTheseBlocks", (InBlocks,), {"work_rows": work_rows, "workers": workers})


def told_facts(inputs: BacktestInputs, engine: str, made: type[Simulation] | None = None) -> Told:
    """Every fact that the engine records, in order, and the books at the end. `made`: this class of
    an engine.

    Of a plan what both engines tell: legs, refusals and ratcheted stops, where there are any; whole
    plans, with the hash of their trail, are kept beside.
    """
    facts: list[str] = []
    plans: dict[int, str] = {}
    fills = 0

    def record(kind: str, payload: Mapping[str, Any]) -> None:
        nonlocal fills
        fills += kind == "fill"
        if kind == "plan" and "trail" in payload:
            plans[payload["bar_ms"]] = canonical(dict(payload))
        facts.extend(fact_lines(kind, payload))

    state = open_books(inputs)
    parts = (inputs.parameters, inputs.strategies, inputs.series, state, inputs.model)
    simulation = (made or engine_of(engine))(*parts, record)
    try:
        decided = simulation.run(inputs.start_ms, inputs.end_ms)
    except AmountOverflow:
        return Told({"overflow": ["1"]}, 0)
    rows = {"facts": facts, "decided": [str(decided)], **state_rows(state)}
    if not isinstance(simulation, FastSimulation):
        return Told(rows, fills, plans=plans)
    return Told(rows, fills, (simulation.lane_bars, simulation.slow_bars), plans)


def told_legs(inputs: BacktestInputs, engine: str) -> list[tuple[str, str]]:
    """Side and reason of every leg that the engine's plans told."""
    found: list[tuple[str, str]] = []

    def record(kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "plan":
            found.extend((leg["side"], leg["reason"]) for leg in payload["legs"])

    parts = (inputs.parameters, inputs.strategies, inputs.series, open_books(inputs), inputs.model)
    engine_of(engine)(*parts, record).run(inputs.start_ms, inputs.end_ms)
    return found


def engine_of(engine: str) -> type[Simulation]:
    """The class of an engine by its name."""
    return FastSimulation if engine == FAST else Simulation


def fact_lines(kind: str, payload: Mapping[str, Any]) -> list[str]:
    """A fact as a line; [] for a plan in which nothing happened. Whatever of a plan only the
    reference tells is left out."""
    if kind != "plan":
        return [canonical([kind, dict(payload)])]
    told = {name: payload[name] for name in PLAN if payload.get(name)}
    return [canonical([kind, told])] if len(told) > 1 else []


def with_plans(told: Told, other: Told) -> Told:
    """The same with those whole plans that both have, as rows."""
    both = sorted(told.plans.keys() & other.plans.keys())
    return replace(told, rows={"plans": [told.plans[bar_ms] for bar_ms in both], **told.rows})


def state_rows(state: State) -> Rows:
    """Every row of every projection, sorted by its key."""
    found: Rows = {}
    for table in PROJECTIONS:
        held: Mapping[str, Any] = getattr(state, table)
        found[f"state.{table}"] = [canonical(state.row(table, key)) for key in sorted(held)]
    return found


def report_lines(result: BacktestResult) -> list[str]:
    """The report, a line for each of its keys."""
    return [f"{key}: {canonical(value)}" for key, value in build_report(result).items()]


def plain(value: Any) -> str:
    """A record's fields by name; floats to the last bit."""
    return repr({one.name: getattr(value, one.name) for one in fields(value)})


def difference(ours: Told, theirs: Told) -> str:
    """The first difference in words; "" when there is none."""
    for part in {**ours.rows, **theirs.rows}:
        one, other = ours.rows.get(part, ["(not told)"]), theirs.rows.get(part, ["(not told)"])
        if one == other:
            continue
        longest = max(len(one), len(other))
        pairs = list(
            zip(*(rows + [""] * (longest - len(rows)) for rows in (one, other)), strict=True)
        )
        differing = [index for index, pair in enumerate(pairs) if pair[0] != pair[1]]
        first = differing[0]
        told = f"{part}[{first}] of {longest}, {len(differing)} differ"
        return f"{told}:\n  {pairs[first][0]}\n  {pairs[first][1]}"
    return ""


def _pairs(held: Mapping[str, Any]) -> list[str]:
    return [f"{key} {held[key]}" for key in sorted(held)]

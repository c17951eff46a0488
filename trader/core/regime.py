"""The regime: which declared state of the market holds on the benchmark's closed bars.

Lives here: one pure function from a snapshot to the regime's name, and its row of the trail. It
depends on bars alone, not on what was told before. Must not live here: how rules are computed
(`rules`, `frames`), and what a regime permits (`access`).
"""

from __future__ import annotations

from trader.core.desk import Seen, TrailRow
from trader.core.frames import Block, Frames, last_open_ms
from trader.core.gates import NO_ANSWERS
from trader.core.measures import number_text
from trader.core.membership import ROW_PREFIX
from trader.core.parameters import RegimeSpec
from trader.core.rules import Bound
from trader.core.signals import data_problem
from trader.core.snapshot import Snapshot
from trader.core.universe import UNKNOWN, regime_is_due
from trader.core.universe_windows import regime_oldest_ms, regime_rules
from trader.records import dataclass

ROW_NAME = f"{ROW_PREFIX}regime"
# The regime was told from no bar: it is told again at the next decision.
NO_BAR_MS = -1


@dataclass(frozen=True, slots=True)
class Regime:
    """The regime in force: its name ("" where none is declared).

    `told`: (bar_ms, name) as the plan keeps it, when it is not what the state holds already.
    `rows`: its row of the trail, when it was told anew.
    """

    name: str
    told: tuple[int, str] | None = None
    rows: tuple[TrailRow, ...] = ()


def tell_regime(snapshot: Snapshot) -> Regime:
    """The regime at this decision: as the state has it, or told anew when a bar has closed."""
    regime, state = snapshot.parameters.universe.regime, snapshot.state
    if regime is None:
        return Regime("")
    if not regime_is_due(snapshot.parameters.universe, state, snapshot.close_ms):
        return Regime(state.word("regime"))
    newest = last_open_ms(snapshot.close_ms, regime.timeframe_ms)
    seen: Seen = {"bar_ms": newest}
    name, why, again = _tell(snapshot, regime, newest, seen)
    told = (NO_BAR_MS if again else newest, name)
    known = (state.number("regime_ms"), state.word("regime"))
    answer = f"REGIME_UNKNOWN {why}" if why else _permits(regime, name)
    row = TrailRow(ROW_NAME, regime.benchmark, seen, {}, NO_ANSWERS, answer)
    return Regime(name, None if told == known else told, (row,))


def _permits(regime: RegimeSpec, name: str) -> str:
    state = next(state for state in regime.states if state.name == name)
    tiers = ",".join(state.tiers) or "none"
    return f"REGIME_TOLD regime={name} risk_ppm={state.risk_ppm} tiers={tiers}"


def _tell(
    snapshot: Snapshot, regime: RegimeSpec, newest_ms: int, seen: Seen
) -> tuple[str, str, bool]:
    """(name, why it is unknown, whether the next decision may know more)."""
    troubles = snapshot.troubles.get(regime.benchmark, ())
    if troubles:
        return UNKNOWN, f"why={troubles[0]}", True
    bound = regime_rules(regime)
    if bound is None or any(s.output not in {"", *bound.outputs} for s in regime.states):
        return UNKNOWN, "why=rules", False
    frames = snapshot.frames
    for frame in bound.frames:
        limit = snapshot.parameters.limits.missing_ppm_max
        problem = data_problem(frames, regime.benchmark, frame, regime.timeframe_ms, limit)
        if problem:
            return UNKNOWN, f"why={problem}", problem.startswith("DATA_STALE")
    return *_confirmed(frames, regime, bound, newest_ms, seen), False


def _confirmed(
    frames: Frames, regime: RegimeSpec, bound: Bound, newest_ms: int, seen: Seen
) -> tuple[str, str]:
    """(name, why it is unknown): the newest state that held for `confirm_bars` bars in a row."""
    series = frames.series[regime.benchmark, regime.timeframe]
    oldest = regime_oldest_ms(regime, newest_ms)
    run, held = "", 0
    for index in range(series.index_of(newest_ms), series.index_of(oldest) - 1, -1):
        block = frames.block(regime.benchmark, bound.frames[0], series.open_ms[index])
        assert block is not None
        name = _state_of(regime, bound, block, index - block.first)
        if series.open_ms[index] == newest_ms:
            seen.update(_readings(regime, bound, block, index - block.first))
            seen["close_ticks"] = series.close[index]
            seen["newest"] = name
            if name == UNKNOWN:
                return UNKNOWN, "why=not_ready"
        held = held + 1 if name == run else 1
        run = name
        if run != UNKNOWN and held >= regime.confirm_bars:
            return run, ""
    return UNKNOWN, f"why=unconfirmed confirm_bars={regime.confirm_bars}"


def _state_of(regime: RegimeSpec, bound: Bound, block: Block, row: int) -> str:
    """The first state whose rule holds on one row; unknown when one before it is not ready."""
    for state in regime.states:
        value = block.column(bound, bound.outputs[state.output])[row] if state.output else 1
        if value < 0:
            return UNKNOWN
        if value > 0:
            return state.name
    return UNKNOWN


def _readings(regime: RegimeSpec, bound: Bound, block: Block, row: int) -> Seen:
    """For the trail: what every rule says on one row (1 yes, 0 no, -1 not ready), and the
    indicators it says so from."""
    seen: Seen = {
        f"rule_{state.name}": int(block.column(bound, bound.outputs[state.output])[row])
        for state in regime.states
        if state.output
    }
    for index, node in enumerate(bound.nodes):
        if node.op == "indicator" and node.place == 0:
            seen[node.text] = number_text(block.column(bound, index)[row])
    return seen

"""A sweep from its inputs to its folder: what identifies it, running what is left, the count.

Lives here: the identity of a sweep (policy, code, data, options, trials: each named, so that a
folder of other inputs can say which differ), its place, and the course of a run. A run that is
interrupted leaves a folder that the next one with the same inputs goes on with. Must not live here:
reading options, layout.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from trader.app.backtest_inputs import BacktestInputs
from trader.app.sweeping import check_range, sweep_rows
from trader.app.sweeping_count import Counted, Ledger
from trader.app.sweeping_store import SweepStore
from trader.app.sweeping_trials import Trials
from trader.core.canonical import canonical, sha256_of
from trader.records import dataclass

ID_DIGITS = 16
_NOT_IDENTITY = frozenset({"id", "policy_source", "seed"})
# progress(trials made in this run, trials that it has to make)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """What is to be run: `identity` holds a hash or a text for every input."""

    inputs: BacktestInputs
    trials: Trials
    identity: Mapping[str, Any]

    @property
    def id(self) -> str:
        """A short name that other inputs do not have."""
        return sha256_of(self.identity)[:ID_DIGITS]

    @property
    def subject(self) -> str:
        """What trials are counted by: the data and the strategies' code and rules. Their numbers
        are not among it, nor limits, sizes and costs: whoever changes those goes on searching."""
        strategies = [
            [spec.name, spec.source_sha, spec.program] for spec in self.inputs.parameters.strategies
        ]
        return sha256_of([self.identity["data"], strategies])


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of it: the folder with every row, the count, how many rows were there already, how
    many lines were torn, and how workers died."""

    plan: SweepPlan
    store: SweepStore
    counted: Counted
    resumed: int
    torn: int
    died: tuple[str, ...]


def plan_sweep(inputs: BacktestInputs, trials: Trials, manifest: Mapping[str, Any]) -> SweepPlan:
    """The plan of a sweep; `manifest`: what one back-test over these inputs is made of (see
    `backtest_runs.build_manifest`). How a policy is spelled, and what else it would sweep, is no
    part of the identity."""
    kept = {name: value for name, value in manifest.items() if name not in _NOT_IDENTITY}
    identity = {
        **kept,
        "data": {
            f"{row['symbol']} {row['timeframe']} {row['use']}": row["sha256"]
            for row in manifest["data"]
        },
        "sweep": {
            "how": trials.how,
            "seed": trials.seed,
            "axes": {axis.name: ",".join(axis.values) for axis in trials.axes},
            "where": list(trials.where),
            "points": points_sha(trials),
        },
    }
    return SweepPlan(inputs, trials, json.loads(canonical(identity)))


def points_sha(trials: Trials) -> str:
    """Hash over which points are tried, in order, hex."""
    if isinstance(trials.points, range):
        return f"0 to {len(trials.points) - 1}"
    found = hashlib.sha256()
    for point in trials.points:
        found.update(b"%d," % point)
    return found.hexdigest()


def perform(
    plan: SweepPlan,
    root: Path,
    place: Path | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Swept:
    """Run what is left of a sweep; its store is left open for reading, and is the caller's.

    `root`: the folder of all sweeps, with their ledger; `place`: this one's, else below `root`.
    Raises LockHeld, UsageError, OSError; what was made until then is kept, also on an interrupt.
    """
    check_range(plan.inputs)
    folder = root / plan.id if place is None else place
    store = SweepStore(folder, plan.identity, len(plan.trials))
    ledger = Ledger(root)
    died: list[str] = []
    resumed = store.made
    try:
        with ExitStack() as undo:
            undo.callback(store.close)
            ledger.note(plan.id, plan.subject, folder.absolute(), resumed, ended=False)
            _make_rows(plan, store, workers, progress, died)
            counted = ledger.count(plan.id, plan.subject, store.made)
            store.complete({"counted": counted.plain()})
            undo.pop_all()
    finally:
        ledger.note(plan.id, plan.subject, folder.absolute(), store.made, ended=True)
    return Swept(plan, store, counted, resumed, store.torn, tuple(died))


def _make_rows(
    plan: SweepPlan,
    store: SweepStore,
    workers: int,
    progress: Progress | None,
    died: list[str],
) -> None:
    """Every trial that has no row yet."""
    left = store.left
    if not left:
        return
    # Closed at once, whatever ends the loop: a worker must not go on behind an error's back.
    with closing(sweep_rows(plan.inputs, plan.trials, left, workers, died, (store.lock,))) as rows:
        for made, row in enumerate(rows, 1):
            store.add(row)
            if progress is not None:
                progress(made, len(left))
    store.flush()

"""A sweep's folder: whatever is cut, flipped or killed, going on gives the same bytes."""

from __future__ import annotations

import errno
import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trader.app import sweeping_store
from trader.app.backtest import run_backtest
from trader.app.sweeping import run_sweep
from trader.app.sweeping_rows import METRICS, TrialRow, done_row, order_key, row_of
from trader.app.sweeping_session import perform, plan_sweep
from trader.app.sweeping_store import RECORD, ROWS, SweepStore, differing, write_whole
from trader.app.sweeping_trials import draw
from trader.errors import DataError, LockHeld, UsageError
from trader.policy.rules_compile import compile_rules

from .sweep_world import conditions_of, inputs_of, plan_of, trials

INPUTS: dict[str, Any] = {"policy": "a", "data": {"BTC/USDT 1m bars": "x", "ETH/USDT 1m bars": "y"}}
COUNT = 6
FIXTURE = HealthCheck.function_scoped_fixture


def row(trial: int) -> TrialRow:
    metrics = tuple(f"{trial}.{at}" if at % 3 else None for at in range(len(METRICS)))
    return TrialRow(trial, (str(trial), "é\u2028"), "done", "", metrics)


def fill(folder: Path, wanted: list[int]) -> SweepStore:
    store = SweepStore(folder, INPUTS, COUNT)
    for trial in wanted:
        store.add(row(trial))
    return store


def complete(folder: Path) -> bytes:
    """Everything that is missing is made; the bytes of the folder then."""
    store = SweepStore(folder, INPUTS, COUNT)
    for trial in store.left:
        store.add(row(trial))
    store.complete({"counted": {}})
    assert list(store.rows()) == [row(trial) for trial in range(COUNT)]
    store.close()
    return (folder / ROWS).read_bytes() + (folder / RECORD).read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a sweep leaves that nobody disturbed."""
    return complete(tmp_path_factory.mktemp("whole") / "s")


@given(order=st.permutations(range(COUNT)), count=st.integers(0, COUNT), cut=st.integers(0, 400))
@settings(suppress_health_check=[FIXTURE])
def test_rows_in_any_order_and_a_torn_tail_end_in_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    whole: bytes,
    order: list[int],
    count: int,
    cut: int,
) -> None:
    folder = tmp_path_factory.mktemp("torn") / "s"
    fill(folder, order[:count]).close()
    path = folder / ROWS
    data = path.read_bytes()
    path.write_bytes(data[: max(0, len(data) - cut)])
    assert complete(folder) == whole


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(suppress_health_check=[FIXTURE])
def test_a_flipped_bit_costs_a_trial_and_no_more(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, at: int, bit: int
) -> None:
    folder = tmp_path_factory.mktemp("flipped") / "s"
    fill(folder, list(range(COUNT))).close()
    path = folder / ROWS
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data)
    store = SweepStore(folder, INPUTS, COUNT)
    assert store.torn >= 1
    # A line break that is gone, or is new, touches two lines at most.
    assert 1 <= len(store.left) <= 2
    store.close()
    assert complete(folder) == whole


def test_a_row_reads_back_as_it_was_written() -> None:
    assert row_of(row(3).line()) == row(3)
    assert "\n" not in row(3).line()


def test_a_folder_of_other_inputs_is_refused_by_their_names(tmp_path: Path) -> None:
    fill(tmp_path / "s", [1]).close()
    other: dict[str, Any] = {"policy": "b", "data": {**INPUTS["data"], "ETH/USDT 1m bars": "z"}}
    before = (tmp_path / "s" / ROWS).read_bytes()
    with pytest.raises(UsageError) as caught:
        SweepStore(tmp_path / "s", other, COUNT)
    assert "a sweep of other inputs: policy, data ETH/USDT 1m bars;" in str(caught.value)
    assert (tmp_path / "s" / ROWS).read_bytes() == before


def test_inputs_that_came_or_went_differ_too() -> None:
    assert differing({"a": 1, "b": {"x": 1}}, {"b": {"x": 1, "y": 2}, "c": 3}) == ["b y", "c", "a"]
    assert differing(INPUTS, INPUTS) == []


def test_two_sweeps_do_not_work_in_one_folder(tmp_path: Path) -> None:
    store = fill(tmp_path / "s", [1])
    with pytest.raises(LockHeld, match="another sweep is at work"):
        SweepStore(tmp_path / "s", INPUTS, COUNT)
    store.close()
    SweepStore(tmp_path / "s", INPUTS, COUNT).close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"inputs": 3}', "null"])
def test_a_record_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    fill(tmp_path / "s", [1]).close()
    (tmp_path / "s" / RECORD).write_text(text)
    with pytest.raises(DataError, match=r"is not a sweep's record"):
        SweepStore(tmp_path / "s", INPUTS, COUNT)


def test_trials_without_a_record_are_not_believed(tmp_path: Path) -> None:
    fill(tmp_path / "s", [1]).close()
    (tmp_path / "s" / RECORD).unlink()
    with pytest.raises(DataError, match=r"holds trials and no sweep\.json"):
        SweepStore(tmp_path / "s", INPUTS, COUNT)


def test_a_disk_that_fills_leaves_what_was_there(tmp_path: Path) -> None:
    limited = tmp_path / "s"
    pid = os.fork()
    if pid == 0:
        try:
            import resource

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
            store = fill(limited, list(range(COUNT)))
            store.close()
        except OSError as error:
            told = error.errno == errno.EFBIG and str(error.filename).endswith(ROWS)
            os._exit(0 if told else 3)
        finally:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    store = SweepStore(limited, INPUTS, COUNT)
    assert 0 < store.made < COUNT
    store.close()
    complete(limited)


def test_a_file_that_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_whole(tmp_path / "absent" / "x.json", "x")
    write_whole(tmp_path / "x.json", "one")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


# --- whole sweeps --------------------------------------------------------------------------------


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a sweep leaves that ran in one go, on one worker."""
    root = tmp_path_factory.mktemp("undisturbed")
    swept = perform(plan_of(root), root / "sweeps", None, 1)
    swept.store.close()
    return folder_bytes(swept.store.folder)


def killed_at(root: Path, trial: int) -> None:
    """A run whose process is killed when so many trials are made."""
    pid = os.fork()
    if pid == 0:

        def progress(done: int, _total: int) -> None:
            if done == trial:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            perform(plan_of(root), root / "sweeps", None, 2, progress)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("first", [1, 4, 9])
def test_a_sweep_that_is_killed_twice_goes_on_and_leaves_the_same_bytes(
    tmp_path: Path, undisturbed: dict[str, bytes], first: int
) -> None:
    killed_at(tmp_path, first)
    killed_at(tmp_path, 1)
    swept = perform(plan_of(tmp_path), tmp_path / "sweeps", None, 2)
    swept.store.close()
    assert swept.counted.total == len(trials())
    assert folder_bytes(swept.store.folder) == undisturbed


def test_an_interrupted_sweep_keeps_what_it_made(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    def progress(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        perform(plan_of(tmp_path), tmp_path / "sweeps", None, 2, progress)
    made: list[tuple[int, int]] = []

    def told(done: int, total: int) -> None:
        made.append((done, total))

    swept = perform(plan_of(tmp_path), tmp_path / "sweeps", None, 2, told)
    swept.store.close()
    assert swept.resumed == 3
    assert made[-1] == (7, 7)
    assert folder_bytes(swept.store.folder) == undisturbed


def test_a_sweep_that_is_complete_makes_nothing_again(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    perform(plan_of(tmp_path), tmp_path / "sweeps", None, 2).store.close()
    swept = perform(plan_of(tmp_path), tmp_path / "sweeps", None, 2)
    swept.store.close()
    assert swept.resumed == len(trials())
    assert folder_bytes(swept.store.folder) == undisturbed


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_rows_are_equal_whatever_the_number_of_workers(tmp_path: Path, workers: int) -> None:
    inputs = inputs_of(tmp_path)
    rows = run_sweep(inputs, trials(), workers)
    assert [row.trial for row in rows] == list(range(10))
    assert len({row.metrics for row in rows}) > 5
    for trial in (0, 4, 9):
        parameters = trials().parameters(inputs.parameters, trial)
        result = run_backtest(replace(inputs, parameters=parameters))
        assert rows[trial] == done_row(trial, trials().values(trial), result)
        assert int(rows[trial].metric("round_trips") or 0) == len(result.closed) > 0


def test_the_order_of_trials_does_not_matter(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path)
    rows = {row.values: row.metrics for row in run_sweep(inputs, trials(), 2)}
    drawn = draw(conditions_of(), 10, 3)
    assert {row.values: row.metrics for row in run_sweep(inputs, drawn, 2)} == rows


def test_values_that_rules_do_not_take_together_are_told_for_each_trial(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path)
    found = compile_rules(
        {"enter": "macd(close, fast, slow, 2).line > 0", "stop": "stop * close"},
        parameters={"fast": 2, "slow": 5, "stop": "0.08"},
        triggers={},
        own_timeframe="1m",
    )
    assert not found.problems
    (strategy,) = inputs.parameters.strategies
    specs = (replace(strategy, program=found.program),)
    code = replace(inputs.strategies["cross"], program=found.program)
    other = replace(
        inputs,
        parameters=replace(inputs.parameters, strategies=specs),
        strategies={"cross": code},
    )
    free = replace(trials(), axes=conditions_of(["fast=2,6", "slow=5"]).axes, points=range(2))
    rows = run_sweep(other, free, 1)
    assert [(row.state, row.metrics[0] is None) for row in rows] == [
        ("done", False),
        ("refused", True),
    ]
    assert rows[1].why == "cross: fast must be below slow, not 6 and 5"


def test_the_best_come_first_and_what_has_no_number_last() -> None:
    def of(trial: int, value: str | None) -> TrialRow:
        metrics = tuple(
            value if metric.name in {"sharpe", "max_drawdown"} else None for metric in METRICS
        )
        return TrialRow(trial, (), "done", "", metrics)

    rows = [of(0, "1.5"), of(1, None), of(2, "2.5"), of(3, "-9"), of(4, "2.5")]
    assert [r.trial for r in sorted(rows, key=lambda r: order_key(r, "sharpe"))] == [2, 4, 0, 3, 1]
    drawn = sorted(rows, key=lambda r: order_key(r, "max_drawdown"))
    assert [r.trial for r in drawn] == [3, 0, 2, 4, 1]


# --- the identity and the count ------------------------------------------------------------------


def test_another_spelling_of_the_policy_is_the_same_sweep(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path)
    row_ = {"symbol": "BTC/USDT", "timeframe": "1m", "use": "bars", "sha256": "ab"}
    one = {"id": "1", "policy": "p", "policy_source": "q", "data": [row_]}
    two = {"id": "2", "policy": "p", "policy_source": "r", "data": [row_]}
    assert plan_sweep(inputs, trials(), one).id == plan_sweep(inputs, trials(), two).id
    assert plan_sweep(inputs, trials(), {**one, "policy": "o"}).id != (
        plan_sweep(inputs, trials(), one).id
    )


def test_trials_of_earlier_sweeps_on_the_same_data_are_counted(tmp_path: Path) -> None:
    root = tmp_path / "sweeps"
    counts: list[tuple[int, int, int]] = []
    for ranges, sha in ((None, "ab"), (["fast=2,3"], "ab"), (["fast=3"], "other"), (None, "ab")):
        plan = plan_of(tmp_path, draw(conditions_of(ranges), 2, 1), sha)
        swept = perform(plan, root, None, 1)
        swept.store.close()
        counts.append((swept.counted.own, swept.counted.earlier, swept.counted.total))
    # Other data count by themselves; the last is the first sweep again.
    assert counts == [(2, 0, 2), (2, 2, 4), (2, 0, 2), (2, 2, 4)]


def test_trials_of_a_killed_sweep_count_as_far_as_it_came(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:

        def progress(done: int, _total: int) -> None:
            if done == 4:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            sweeping_store.FLUSH_ROWS = 2
            perform(plan_of(tmp_path), tmp_path / "sweeps", None, 1, progress)
        finally:
            os._exit(1)
    os.waitpid(pid, 0)
    plan = plan_of(tmp_path, draw(conditions_of(["stop=0.05"]), 2, 1))
    swept = perform(plan, tmp_path / "sweeps", None, 1)
    swept.store.close()
    # The first is on the disk at once, then every two.
    assert (swept.counted.own, swept.counted.earlier) == (2, 3)
    record = json.loads((swept.store.folder / RECORD).read_text())
    assert record["counted"] == {"here": 2, "earlier": 3, "total": 5}


def test_a_folder_of_ones_own_counts_in_the_state_folder(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    swept = perform(plan_of(tmp_path), tmp_path / "sweeps", place, 1)
    swept.store.close()
    assert sorted(path.name for path in place.iterdir()) == [RECORD, ROWS]
    other = perform(plan_of(tmp_path, draw(conditions_of(), 2, 1)), tmp_path / "sweeps", None, 1)
    other.store.close()
    assert other.counted.earlier == 10


def test_a_torn_line_of_the_ledger_hides_no_other(tmp_path: Path) -> None:
    swept = perform(plan_of(tmp_path), tmp_path / "sweeps", None, 1)
    swept.store.close()
    ledger = tmp_path / "sweeps" / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b'{"sweep": "x", "subj')
    other = perform(plan_of(tmp_path, draw(conditions_of(), 2, 1)), tmp_path / "sweeps", None, 1)
    other.store.close()
    assert other.counted.earlier == 10

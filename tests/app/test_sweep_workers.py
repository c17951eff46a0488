"""Workers: every trial has an answer, whoever dies; none outlives what it was started for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trader.app import sweeping_workers
from trader.app.sweeping import batches
from trader.app.sweeping_workers import Lost, WorkerBug, Workers, usable_cores


def squares(batch: Sequence[int]) -> Iterator[bytes]:
    for trial in batch:
        yield b"%d" % (trial * trial)


def answers(workers: Workers) -> dict[int, bytes | Lost]:
    found: dict[int, bytes | Lost] = {}
    for trial, answer in workers.answers():
        assert trial not in found
        found[trial] = answer
    return found


@given(st.integers(0, 40), st.integers(1, 4))
@settings(max_examples=20)
def test_each_trial_is_answered_once_by_any_number_of_workers(count: int, workers: int) -> None:
    wanted = range(count)
    found = answers(Workers(squares, batches(wanted, workers), workers))
    assert found == {trial: b"%d" % (trial * trial) for trial in wanted}


@given(st.integers(0, 2_000), st.integers(1, 16))
def test_batches_hold_every_trial_in_order(count: int, workers: int) -> None:
    found = batches(range(count), workers)
    assert [trial for batch in found for trial in batch] == list(range(count))
    assert len(found) >= min(count, workers)


def test_a_large_answer_comes_whole() -> None:
    def work(batch: Sequence[int]) -> Iterator[bytes]:
        for trial in batch:
            yield bytes([trial]) * 3_000_000

    found = answers(Workers(work, [[1, 2], [3]], 2))
    assert {trial: len(answer) for trial, answer in found.items() if isinstance(answer, bytes)} == {
        1: 3_000_000,
        2: 3_000_000,
        3: 3_000_000,
    }


def test_a_trial_whose_worker_is_killed_is_tried_again(tmp_path: Path) -> None:
    mark = tmp_path / "killed"

    def work(batch: Sequence[int]) -> Iterator[bytes]:
        for trial in batch:
            if trial == 3 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield b"%d" % trial

    died: list[str] = []
    found = answers(Workers(work, batches(range(8), 2), 2, died))
    assert found == {trial: b"%d" % trial for trial in range(8)}
    assert died == ["its worker was ended by SIGKILL (out of memory?)"]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_trial_whose_worker_dies_twice_is_given_up_and_the_others_are_made(workers: int) -> None:
    def work(batch: Sequence[int]) -> Iterator[bytes]:
        for trial in batch:
            if trial == 4:
                os._exit(9)
            yield b"%d" % trial

    died: list[str] = []
    found = answers(Workers(work, batches(range(10), workers), workers, died))
    assert found.pop(4) == Lost("its worker ended with code 9")
    assert found == {trial: b"%d" % trial for trial in range(10) if trial != 4}
    assert len(died) == 2


def test_what_no_trial_may_raise_ends_the_sweep_with_its_traceback() -> None:
    def work(batch: Sequence[int]) -> Iterator[bytes]:
        raise ZeroDivisionError(f"of {batch[0]}")
        yield b""

    with pytest.raises(WorkerBug, match=r"(?s)Traceback.*ZeroDivisionError: of 0"):
        answers(Workers(work, [[0]], 1))


def test_closing_the_answers_ends_every_worker() -> None:
    pids: list[int] = []

    def work(batch: Sequence[int]) -> Iterator[bytes]:
        for trial in batch:
            yield b"%d" % os.getpid()
            if trial:
                signal.pause()

    workers = Workers(work, [[0, 1, 9], [0, 2, 9]], 2)
    found = workers.answers()
    for _, answer in found:
        assert isinstance(answer, bytes)
        pids.append(int(answer))
        if len(set(pids)) == 2:
            break
    found.close()
    assert len(set(pids)) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_worker_that_does_not_leave_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping_workers, "LEAVE_S", 0.05)
    pids: list[int] = []

    def work(batch: Sequence[int]) -> Iterator[bytes]:
        yield b"%d" % os.getpid()
        signal.pause()

    for _, answer in Workers(work, [[0], [1]], 2).answers():
        assert isinstance(answer, bytes)
        pids.append(int(answer))
    assert len(set(pids)) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_an_interrupt_of_the_terminal_is_the_parents_alone() -> None:
    def work(batch: Sequence[int]) -> Iterator[bytes]:
        for trial in batch:
            os.kill(os.getpid(), signal.SIGINT)
            yield b"%d" % trial

    assert answers(Workers(work, [[1], [2]], 2)) == {1: b"1", 2: b"2"}


def test_a_sweep_uses_the_processors_that_it_may_run_on() -> None:
    assert usable_cores() == len(os.sched_getaffinity(0)) >= 1

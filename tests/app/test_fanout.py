"""Reads side by side: values, errors and silence, each under its own key."""

from __future__ import annotations

import threading

import pytest

from trader.app.fanout import WORKERS_MAX, gather, value_of
from trader.errors import VenueRefused, VenueUnavailable


def fails(error: BaseException) -> object:
    raise error


def test_every_read_gives_its_value() -> None:
    reads = {n: (lambda n=n: n * n) for n in range(20)}
    assert gather(reads, 5.0) == {n: n * n for n in range(20)}
    assert gather({}, 5.0) == {}


def test_an_error_of_a_read_is_its_value_and_hurts_no_other() -> None:
    refused = VenueRefused("no right")
    got = gather({"a": lambda: 1, "b": lambda: fails(refused)}, 5.0)
    assert got == {"a": 1, "b": refused}
    assert value_of(got, "a") == 1
    with pytest.raises(VenueRefused, match="no right"):
        value_of(got, "b")


def test_a_bug_is_raised_here() -> None:
    with pytest.raises(KeyError):
        gather({"a": lambda: fails(KeyError("x")), "b": lambda: 2}, 5.0)


def test_a_read_that_never_answers_counts_as_unavailable() -> None:
    never = threading.Event()
    try:
        got = gather({"slow": never.wait, "quick": lambda: 7}, 0.05)
    finally:
        never.set()
    assert got["quick"] == 7
    assert isinstance(got["slow"], VenueUnavailable)
    with pytest.raises(VenueUnavailable, match=r"no answer within 0.05 s"):
        value_of(got, "slow")


def test_no_more_than_so_many_reads_run_at_once() -> None:
    running: list[int] = []
    most: list[int] = []
    guard = threading.Lock()
    gate = threading.Barrier(WORKERS_MAX)

    def read() -> None:
        with guard:
            running.append(1)
            most.append(len(running))
        gate.wait(5.0)
        with guard:
            running.pop()

    gather(dict.fromkeys(range(WORKERS_MAX), read), 5.0)
    assert max(most) == WORKERS_MAX
    most.clear()
    gate = threading.Barrier(2)
    gather(dict.fromkeys(range(8), read), 5.0, workers_max=2)
    assert max(most) == 2

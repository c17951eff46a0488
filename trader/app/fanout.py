"""Fan-out: independent reads on daemon threads under one deadline.

Lives here: running reads side by side and collecting value or error of each. Threads are daemons,
so that a read that never returns cannot keep a finished process alive. Must not live here: what is
read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar

from trader.errors import TraderError, VenueUnavailable

WORKERS_MAX = 6
K = TypeVar("K", bound=Hashable)


def gather(
    reads: Mapping[K, Callable[[], Any]], wait_s: float, workers_max: int = WORKERS_MAX
) -> dict[K, Any | TraderError]:
    """Every read's value, or the TraderError it raised, by key.

    A read that has not answered after `wait_s` seconds counts as VenueUnavailable. Any other
    exception is a bug and is raised here.
    """
    todo: SimpleQueue[tuple[K, Callable[[], Any]]] = SimpleQueue()
    done: SimpleQueue[tuple[K, Any]] = SimpleQueue()
    for key, read in reads.items():
        todo.put((key, read))
    for _ in range(min(workers_max, len(reads))):
        threading.Thread(target=_work, args=(todo, done), daemon=True).start()
    results: dict[K, Any | TraderError] = {}
    end_s = monotonic() + wait_s
    while len(results) < len(reads):
        try:
            key, value = done.get(timeout=max(0.001, end_s - monotonic()))
        except Empty:
            break
        if isinstance(value, BaseException) and not isinstance(value, TraderError):
            raise value
        results[key] = value
    late = VenueUnavailable(f"no answer within {wait_s:g} s", "the next cycle tries again")
    return {key: results.get(key, late) for key in reads}


def _work(
    todo: SimpleQueue[tuple[K, Callable[[], Any]]],
    done: SimpleQueue[tuple[K, Any]],
) -> None:
    while True:
        try:
            key, read = todo.get_nowait()
        except Empty:
            return
        value: Any = None
        try:
            value = read()
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            value = error
        done.put((key, value))


def value_of(results: Mapping[K, Any], key: K) -> Any:
    """The value of one read; raises its TraderError."""
    value = results[key]
    if isinstance(value, TraderError):
        raise value
    return value

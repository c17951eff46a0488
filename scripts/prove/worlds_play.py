"""Playing many worlds: in one process, in several, and once more to see that nothing was chance.

Lives here: ranges of worlds, their workers, what a failure is told as. Must not live here: what a
world is (`worlds_made`) and what must hold in it (`worlds_oracle`).
"""

from __future__ import annotations

import decimal
import multiprocessing
import os
import time
from collections.abc import Iterator
from functools import partial

from worlds_course import Course, Unbookable
from worlds_made import make_world
from worlds_oracle import Tally

DECISIONS = 8
CHUNK = 25
# Every so many worlds one is played twice: the same seed must decide and refuse the same.
TWICE = 20
DIGITS = 60


def play_one(seed: int, number: int, decisions: int = DECISIONS) -> tuple[Tally, str]:
    """One world; what it saw and a digest of what it decided."""
    tally = Tally()
    course = Course(make_world(seed, number), tally)
    try:
        course.play(decisions)
    except Unbookable:
        tally.told["unbookable"] += 1
    except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
        course.oracle.breach(f"{type(error).__name__}: {error}")
    tally.told["decisions"] += course.begun
    if course.oracle.breaches:
        tally.breaches.append(repro(seed, number, course.begun, course.oracle.breaches[0]))
    return tally, course.told()


def repro(seed: int, number: int, decisions: int, breach: str) -> str:
    """A failure in one line, with the command that shows it again, cut after its last decision."""
    command = f"scripts/prove/worlds.py --seed {seed} --world {number} --decisions {decisions}"
    return f"{command} # {breach}"


def play_range(seed: int, first: int, count: int) -> Tally:
    """Worlds [first, first + count)."""
    tally = Tally()
    with decimal.localcontext() as context:
        context.prec = DIGITS
        for number in range(first, first + count):
            one, told = play_one(seed, number)
            tally.add(one)
            tally.told["worlds"] += 1
            if number % TWICE:
                continue
            tally.told["played twice"] += 1
            again, retold = play_one(seed, number)
            if (told, one.refused) != (retold, again.refused):
                tally.breaches.append(repro(seed, number, DECISIONS, "two runs differ"))
    return tally


def play_all(seed: int, worlds: int, seconds: float) -> Iterator[Tally]:
    """Every chunk of worlds as it is done, on all cores; stops early after so many seconds."""
    until = time.monotonic() + seconds
    chunks = ((first, min(CHUNK, worlds - first)) for first in range(0, worlds, CHUNK))
    context = multiprocessing.get_context("fork")
    workers = len(os.sched_getaffinity(0))
    with context.Pool(workers) as pool:
        for tally in pool.imap_unordered(partial(_chunk, seed), chunks):
            yield tally
            if time.monotonic() > until:
                return


def _chunk(seed: int, chunk: tuple[int, int]) -> Tally:
    return play_range(seed, *chunk)

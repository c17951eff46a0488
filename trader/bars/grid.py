"""The time grid of a file's bars: their length, and what is missing.

Lives here: telling a bar's length from the distances between bars, and the refusal of bars off the
UTC grid. Must not live here: prices.
"""

from __future__ import annotations

from collections import Counter

from trader.bars.names import STEPS_MS, step_name
from trader.bars.stamps import utc_text
from trader.core.row_text import count_step
from trader.core.series import Ints
from trader.domain.timeframe import bar_open_ms


class GridError(ValueError):
    """Bars whose length cannot be told, or a bar off the grid.

    Attributes: what: the finding; index: the bar it is about, or None; hint: what to do.
    """

    def __init__(self, what: str, hint: str, index: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.index = index


def count_distances(open_ms: Ints) -> Counter[int]:
    """How often each distance (ms) between neighbouring bars occurs."""
    if len(open_ms) < 2:
        return Counter()
    others: list[int] = []
    first = open_ms[1] - open_ms[0]
    count = count_step(open_ms, first, others)
    return Counter(others) + Counter({first: count})


def step_of(open_ms: Ints, distances: Counter[int], given: str | None, named: list[str]) -> int:
    """Length of the bars, ms; every bar lies on its UTC grid. GridError when it cannot be told.

    Args:
        given: the timeframe that the caller names: only checked.
        named: timeframes in the file's name: they settle what the distances leave open.
    """
    if given is not None:
        if given not in STEPS_MS:
            known = ", ".join(sorted(STEPS_MS, key=STEPS_MS.__getitem__))
            raise GridError(f"timeframe {given!r} is not known", f"known are {known}")
        return _checked(open_ms, STEPS_MS[given], distances)
    by_name = STEPS_MS[named[0]] if len(named) == 1 else None
    if by_name is not None and any(distance % by_name for distance in distances):
        by_name = None
    seen = _seen(distances)
    if seen is None:
        if by_name is None:
            raise _untold(distances)
        return _checked(open_ms, by_name, distances)
    _checked(open_ms, seen, distances)
    if by_name not in (None, seen) and len(named) == 1:
        raise GridError(
            f"the file is named {named[0]}, but its bars are mostly {step_name(seen)} apart",
            f"name the timeframe: {named[0]} or {step_name(seen)}",
        )
    return seen


def gaps_of(distances: Counter[int], step_ms: int) -> tuple[int, int]:
    """(places where bars are absent, bars absent there)."""
    wider = [(ms // step_ms - 1, times) for ms, times in distances.items() if ms > step_ms]
    return sum(times for _, times in wider), sum(absent * times for absent, times in wider)


def _seen(distances: Counter[int]) -> int | None:
    """The smallest distance if it is common and divides all; else the commonest, if it is known."""
    if not distances:
        return None
    smallest = min(distances)
    commonest = min(distances, key=lambda ms: (-distances[ms], ms))
    divides = all(ms % smallest == 0 for ms in distances)
    # A stray bar makes a small distance too, but a rare one.
    if divides and distances[smallest] * 2 >= distances[commonest]:
        commonest = smallest
    return commonest if commonest in STEPS_MS.values() else None


def _untold(distances: Counter[int]) -> GridError:
    hint = "name the timeframe, for example 1h"
    if not distances:
        return GridError("one bar alone does not tell how long a bar is", hint)
    often = ", ".join(f"{step_name(ms)} ({times}x)" for ms, times in distances.most_common(3))
    return GridError(f"the length of a bar cannot be told from distances of {often}", hint)


def _checked(open_ms: Ints, step_ms: int, distances: Counter[int]) -> int:
    first_off = bar_open_ms(open_ms[0], step_ms) != open_ms[0]
    if not first_off and not any(distance % step_ms for distance in distances):
        return step_ms
    off = [index for index, at in enumerate(open_ms) if bar_open_ms(at, step_ms) != at]
    at_ms = open_ms[off[0]]
    late = step_name(at_ms - bar_open_ms(at_ms, step_ms))
    count = "all bars" if len(off) == len(open_ms) else f"{len(off)} of {len(open_ms)} bars"
    raise GridError(
        f"the bar of {utc_text(at_ms)} opens {late} off the UTC grid of {step_name(step_ms)}, "
        f"as {count} do",
        "give UTC open times of one timeframe, or name the timeframe if it is another",
        off[0],
    )

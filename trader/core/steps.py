"""Steps of a scale-out as text, the way orders and positions carry them.

Lives here: writing and reading that text. Must not live here: when a step is reached (`exits`), and
how much is sold there (`exit_sizes`).
"""

from __future__ import annotations

from collections.abc import Sequence


def steps_text(steps: Sequence[tuple[int, int]]) -> str:
    """(ticks, ppm) pairs as an order carries them: `ticks:ppm ticks:ppm`."""
    return " ".join(f"{ticks}:{ppm}" for ticks, ppm in steps)


def steps_of(text: str) -> list[tuple[int, int]]:
    """The (ticks, ppm) pairs that `steps_text` wrote, the lowest price first."""
    pairs = (step.partition(":") for step in text.split())
    return [(int(ticks), int(ppm)) for ticks, _, ppm in pairs]

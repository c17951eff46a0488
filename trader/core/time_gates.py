"""Gates over time: sessions, blackouts and cooldowns.

Lives here: the plain integers that these gates compare, and one small question per gate. A number
that was not filled in refuses. Must not live here: how the numbers are made (`time_sums`), and the
order in which gates are asked (`gates`).
"""

from __future__ import annotations


class TimeSums:
    """What these gates compare. Built so that everything refuses until it was filled in."""

    __slots__ = ()

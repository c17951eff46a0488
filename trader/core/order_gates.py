"""Gates over one order: its value and quantity, where it goes and what stands there.

Lives here: the plain integers that these gates compare, and one small question per gate. A number
that was not filled in refuses. Must not live here: how the numbers are made (`order_sums`), and the
order in which gates are asked (`gates`).
"""

from __future__ import annotations


class OrderSums:
    """What these gates compare. Built so that everything refuses until it was filled in."""

    __slots__ = ()

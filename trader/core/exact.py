# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Floats that are rounded once: a quotient of whole numbers, a sum of many.

Lives here: what Python's own `/` of whole numbers and `math.fsum` answer, bit for bit, in a
fraction of the time. Each finds its answer and how far that may be off; where this leaves open
which float is the nearest, Python is asked. Must not live here: formulas of metrics, amounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum

# Up to here a whole number is a float without loss.
EXACT = 1 << 53


def quotient(part: int, whole: int) -> float:
    """A part of a whole above 0, both below 2**62: the nearest float, as Python divides them.

    A float holds 53 bits, so each number is taken as a float and its small rest. The quotient of
    the floats is out by a few units of its last bit; what it leaves over is found without error
    (the product as Dekker, "A floating-point technique for extending the available precision",
    1971) and divided again. The sum is right to 2**-100 of itself: where numbers so close on either
    side of it round to one float, that is the nearest; else Python divides.
    """
    if -EXACT <= part <= EXACT and whole <= EXACT:
        return float(part) / float(whole)
    upper = float(part >> 31) * 2147483648.0
    lower = float(part & 2147483647)
    head = upper + lower
    head_rest = lower - (head - upper)
    upper = float(whole >> 31) * 2147483648.0
    lower = float(whole & 2147483647)
    base = upper + lower
    base_rest = lower - (base - upper)
    found = head / base
    scaled = 134217729.0 * found
    upper = scaled - (scaled - found)
    lower = found - upper
    scaled = 134217729.0 * base
    base_upper = scaled - (scaled - base)
    base_lower = base - base_upper
    product = found * base
    error = upper * base_upper - product
    error = ((error + upper * base_lower) + lower * base_upper) + lower * base_lower
    more = (((head - product) - error) + head_rest - found * base_rest) / base
    slack = (found if found > 0.0 else -found) * 3.1554436208840472e-30  # 2**-98
    if found + (more - slack) == found + (more + slack):
        return found + more
    exact_part, exact_whole = part, whole
    return exact_part / exact_whole


def exact_sum(values: Sequence[float]) -> float:
    """The sum of floats, as `math.fsum` has it.

    What each addition loses is found without error (Knuth, "The Art of Computer Programming" 2,
    4.2.2) and summed apart; n such parts are right to n * n * 2**-106 of the largest sum on the
    way.
    """
    n = len(values)
    total = rest = largest = 0.0
    for i in range(n):
        value = values[i]
        before = total
        total = before + value
        added = total - before
        rest += (before - (total - added)) + (value - added)
        largest = max(largest, total if total > 0.0 else -total)
    slack = float(n) * float(n) * largest * 4.930380657631324e-32  # 2**-104
    if total + (rest - slack) == total + (rest + slack):
        return total + rest
    return fsum(values)

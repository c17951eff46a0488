# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Grids of decision bars: whether two are the same, and what two come to together.

Lives here: typed loops over sorted times. Must not live here: anything about bars.
"""

from __future__ import annotations

from array import array


def same_grid(one: memoryview, other: memoryview) -> bool:
    """Whether two columns of times are equal."""
    rows = len(one)
    if rows != len(other):
        return False
    for i in range(rows):
        if one[i] != other[i]:
            return False
    return True


def union_of(one: memoryview, other: memoryview) -> memoryview:
    """The times of two increasing columns, each once, increasing."""
    made = array("q", [0]) * (len(one) + len(other))
    return memoryview(made)[: merge(one, other, memoryview(made))]


def merge(one: memoryview, other: memoryview, out: memoryview) -> int:
    """Write the union of two increasing columns; how many there are."""
    i = j = count = 0
    rows, others = len(one), len(other)
    while i < rows or j < others:
        if j >= others or (i < rows and one[i] <= other[j]):
            value = one[i]
            if j < others and other[j] == value:
                j += 1
            i += 1
        else:
            value = other[j]
            j += 1
        out[count] = value
        count += 1
    return count

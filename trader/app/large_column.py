"""One long column of whole numbers, in large pages of memory where the system has them.

Lives here: where such memory comes from. Must not live here: what is written into it.

A million numbers are two thousand ordinary pages, and a system that hands them out one by one, as
each is written for the first time, takes longer than the walk that writes them takes for a tenth of
its bars; in large pages they are four. Where there are none it is ordinary memory.
"""

from __future__ import annotations

import mmap
from array import array
from contextlib import suppress

PAGE_BYTES = 2 << 20
NUMBER_BYTES = 8


def large_column(rows: int) -> array[int] | memoryview:
    """int64[rows], zeros; it goes back to the system with the last that looks at it."""
    pages = -(-rows * NUMBER_BYTES // PAGE_BYTES)
    if pages < 2 or not hasattr(mmap, "MADV_HUGEPAGE"):
        return array("q", [0]) * rows
    kept = mmap.mmap(-1, pages * PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without them
        kept.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(kept).cast("q")[:rows]

"""`trader demo`."""

from __future__ import annotations


def demo() -> int:
    """See the whole program at work, offline, in under a minute."""
    return 0

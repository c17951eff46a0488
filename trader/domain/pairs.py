"""Pairs by name and by pattern: which instruments a text such as `.*/USDT` stands for.

Lives here: the one matching that policy and core use. A pattern is `BASE/QUOTE` whose base may hold
`.*` (any letters and digits, none among them); everything else stands for itself. Must not live
here: which patterns are accepted, and from whom.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

ANYTHING = ".*"


def is_pattern(pair: str) -> bool:
    """Whether a text stands for instruments that it does not name."""
    return ANYTHING in pair


def pair_matches(pattern: str, symbol: str) -> bool:
    """Whether a pattern, or a plain pair, stands for this symbol.

    Takes time in proportion to the symbol for each `.*`; nothing is tried twice.
    """
    if not is_pattern(pattern):
        return pattern == symbol
    wanted, _, wanted_quote = pattern.partition("/")
    base, _, quote = symbol.partition("/")
    first, *middle, last = wanted.split(ANYTHING)
    if quote != wanted_quote or len(base) < len(first) + len(last):
        return False
    if not (base.startswith(first) and base.endswith(last)):
        return False
    at, end = len(first), len(base) - len(last)
    for piece in middle:
        found = base.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


class PairSet:
    """Names and patterns together: asked once, an answer is remembered."""

    __slots__ = ("_matched", "names", "patterns")

    def __init__(self, pairs: Iterable[str]) -> None:
        """Of plain pairs and patterns, in any order."""
        listed = list(pairs)
        self.patterns = [pair for pair in listed if is_pattern(pair)]
        self.names = frozenset(listed)
        self._matched: dict[str, bool] = {}

    def __contains__(self, symbol: str) -> bool:
        """Whether a name or a pattern stands for this symbol."""
        if symbol in self.names:
            return True
        if symbol not in self._matched:
            self._matched[symbol] = any(pair_matches(one, symbol) for one in self.patterns)
        return self._matched[symbol]


@lru_cache(maxsize=64)
def pair_set(pairs: tuple[str, ...]) -> PairSet:
    """`PairSet`, remembered: a policy asks the same few lists over and over."""
    return PairSet(pairs)

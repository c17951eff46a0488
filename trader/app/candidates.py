"""Candidates: which of the venue's instruments the universe's patterns stand for.

Lives here: looking through the listing when members are about to be chosen anew, bounded in number,
so that the decision finds their rules in the books. Must not live here: choosing (core).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from trader.app.ports import MarketData
from trader.core.parameters import Parameters
from trader.core.scale import ScaleError, cash_digits_for
from trader.core.state import State
from trader.core.universe import CANDIDATES_MAX, due_tiers, wanted_by_pattern
from trader.domain.instrument import Instrument
from trader.domain.pairs import is_pattern, pair_matches
from trader.errors import TraderError
from trader.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the patterns stand for at the venue now.

    `read`: whether the listing was looked through. `troubles`: by pattern, why it stands for
    nothing, as `CODE key=value ...`.
    """

    instruments: dict[str, Instrument] = field(default_factory=dict[str, Instrument])
    troubles: dict[str, str] = field(default_factory=dict[str, str])
    read: bool = False


def read_candidates(
    parameters: Parameters, venue: MarketData, state: State, close_ms: int
) -> Candidates:
    """Instruments of the patterns, when a tier is due at the decision that closes at `close_ms`.

    A listing that cannot be read excludes what only patterns stand for, and nothing else.
    """
    patterns = _due_patterns(parameters, state, close_ms)
    if not patterns:
        return Candidates()
    try:
        listed = venue.active_symbols()
        wanted, troubles = bounded(parameters, patterns, listed)
        return Candidates(venue.instruments_for(wanted) if wanted else {}, troubles, read=True)
    except TraderError as error:
        why = f"UNIVERSE_UNLISTED read={error.code.name}"
        return Candidates({}, dict.fromkeys(patterns, why))


def _due_patterns(parameters: Parameters, state: State, close_ms: int) -> list[str]:
    """Patterns of the tiers that are due, each once, in declared order."""
    tiers = due_tiers(parameters.universe, state, close_ms)
    return list(dict.fromkeys(pair for tier in tiers for pair in tier.pairs if is_pattern(pair)))


def bounded(
    parameters: Parameters, patterns: Sequence[str], listed: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """(instruments that the patterns stand for, sorted; troubles by pattern). A pattern that would
    bring their number above CANDIDATES_MAX is refused by name and stands for nothing."""
    found: set[str] = set()
    troubles: dict[str, str] = {}
    wanted = wanted_by_pattern(parameters, listed)
    for pattern in patterns:
        matched = {symbol for symbol in wanted if pair_matches(pattern, symbol)}
        if len(found | matched) > CANDIDATES_MAX:
            troubles[pattern] = f"UNIVERSE_MANY limit={CANDIDATES_MAX} measured={len(matched)}"
        else:
            found |= matched
    return sorted(found), troubles


def gone(parameters: Parameters, state: State, candidates: Candidates) -> list[str]:
    """Known instruments that only patterns stand for and the venue does not offer any more."""
    if not candidates.read or candidates.troubles:
        return []
    known = wanted_by_pattern(parameters, state.instruments)
    return [s for s in known if s not in candidates.instruments]


def cash_digits(named: Sequence[Instrument], candidates: Candidates, cash_max: Decimal) -> int:
    """Decimal places of the cash unit: exact for every named instrument, and for the candidates
    that fit beside them. Raises ScaleError for a named one that does not."""
    digits = cash_digits_for(list(named), cash_max)
    for instrument in candidates.instruments.values():
        try:
            digits = max(digits, cash_digits_for([instrument], cash_max))
        except ScaleError:
            continue
    return digits

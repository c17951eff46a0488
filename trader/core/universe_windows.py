"""What the universe and the regime read of the bars, when they are decided anew.

Lives here: one function that tells the windows of candidates and benchmark, beside those of the
strategies (see `signals.wanted_windows`). Must not live here: what is made of them.
"""

from __future__ import annotations

from trader.core.frames import spans
from trader.core.parameters import Parameters, RegimeSpec
from trader.core.rules import Bound, RuleError, bound_of
from trader.core.state import State
from trader.core.universe import Span, candidate_spans, regime_is_due
from trader.domain.timeframe import last_closed_open_ms, timeframe_name

# A state that has not been confirmed leaves the one before it in force; so many bars further back
# than `confirm_bars` it is looked for.
LOOK_BACK_BARS = 64


def regime_rules(regime: RegimeSpec) -> Bound | None:
    """The regime's rules; None when they cannot be bound (the regime is unknown then)."""
    try:
        return bound_of(regime.program, {}, regime.timeframe, regime.timeframe_ms)
    except RuleError:
        return None


def regime_oldest_ms(regime: RegimeSpec, newest_ms: int) -> int:
    """Open time of the oldest bar whose state may count."""
    return newest_ms - (regime.confirm_bars + LOOK_BACK_BARS - 1) * regime.timeframe_ms


def universe_windows(
    parameters: Parameters, state: State, close_ms: int
) -> dict[tuple[str, str], Span]:
    """By (symbol, timeframe): first and last open time of the bars that members and regime are
    told from at the decision that closes at `close_ms`; nothing while neither is due."""
    universe = parameters.universe
    candidates = candidate_spans(parameters, state, close_ms)
    found = {(symbol, timeframe_name(step)): span for (symbol, step), span in candidates.items()}
    regime = universe.regime
    if regime is None or not regime_is_due(universe, state, close_ms):
        return found
    bound = regime_rules(regime)
    if bound is None:
        return found
    newest = last_closed_open_ms(close_ms, regime.timeframe_ms)
    oldest = regime_oldest_ms(regime, newest)
    for timeframe, span in spans(bound, parameters.anchor_bars, newest, oldest).items():
        key = (regime.benchmark, timeframe)
        known = found.get(key, span)
        found[key] = (min(span[0], known[0]), max(span[1], known[1]))
    return found

"""The universe: which instruments belong to which tier, who is a member now, what must be read.

Lives here: the questions that need neither bars nor quotes, asked by the decision, by the reading
of the market and by the back-test alike. Must not live here: measuring and ranking (`membership`),
the regime (`regime`), permissions of one entry (`access`).
"""

from __future__ import annotations

from collections.abc import Iterable

from trader.core.parameters import Parameters, StrategySpec, TierSpec, UniverseSpec
from trader.core.state import State
from trader.domain.pairs import is_pattern, pair_matches
from trader.domain.timeframe import DAY_MS, bar_open_ms, last_closed_open_ms

# Traded value is that of the last day; momentum and volatility are those of the last week.
VOLUME_MS = DAY_MS
RANK_MS = 7 * DAY_MS
# The oldest bar of a span may itself be absent: so much more is looked at.
SLACK_MS = DAY_MS
# Instruments that patterns may stand for at most: each costs a request and its bars.
CANDIDATES_MAX = 500

# The name of no regime: its bars are not there, or do not say.
UNKNOWN = "unknown"

Span = tuple[int, int]


def tier_of(universe: UniverseSpec, symbol: str) -> str:
    """The tier an instrument belongs to: the first that names it, else the first whose pattern
    matches; "" for none."""
    for tier in universe.tiers:
        if symbol in tier.pairs:
            return tier.name
    for tier in universe.tiers:
        if any(pair_matches(pair, symbol) for pair in tier.pairs):
            return tier.name
    return ""


def is_denied(universe: UniverseSpec, symbol: str) -> bool:
    """Whether the deny list names the instrument or matches it."""
    return any(pair_matches(pattern, symbol) for pattern in universe.deny)


def wanted_by_pattern(parameters: Parameters, listed: Iterable[str]) -> list[str]:
    """Of the listed instruments, those that only a pattern of some tier stands for, sorted."""
    universe = parameters.universe
    if not any(is_pattern(pair) for tier in universe.tiers for pair in tier.pairs):
        return []
    ours = (s for s in listed if s.partition("/")[2] == parameters.quote)
    named = {pair for tier in universe.tiers for pair in tier.pairs}
    return sorted(
        s for s in ours if s not in named and tier_of(universe, s) and not is_denied(universe, s)
    )


def named_symbols(parameters: Parameters) -> list[str]:
    """Every instrument that the policy itself names: of strategies, tiers and regime, and the
    owner's own currency, sorted."""
    universe = parameters.universe
    found = {symbol for spec in parameters.strategies for symbol in spec.symbols}
    found |= {pair for tier in universe.tiers for pair in tier.pairs if not is_pattern(pair)}
    if universe.regime is not None:
        found.add(universe.regime.benchmark)
    if parameters.limits.home.currency:
        found.add(parameters.limits.home.rate_symbol)
    return sorted(found)


def candidates_of(parameters: Parameters, tier: TierSpec, known: Iterable[str]) -> list[str]:
    """Instruments a tier chooses from, sorted: those it names, and of the `known` ones those that
    its patterns stand for; denied ones among them."""
    universe = parameters.universe
    named = {pair for pair in tier.pairs if not is_pattern(pair)}
    ours = {s for s in known if s.partition("/")[2] == parameters.quote}
    return sorted(s for s in named | ours if tier_of(universe, s) == tier.name)


# --- members -------------------------------------------------------------------------------------


def members_text(refreshed_ms: int, members: Iterable[str]) -> str:
    """Members as the state keeps them, the best ranked first."""
    return " ".join([str(refreshed_ms), *members])


def refreshed_ms(state: State, tier: str) -> int:
    """Close of the decision bar at which the tier's members were chosen; -1: never."""
    kept = state.members.get(tier, "")
    return int(kept.partition(" ")[0]) if kept else -1


def kept_members(state: State, tier: str) -> tuple[str, ...]:
    """Members as they were chosen last, the best ranked first, whatever the policy says now."""
    return tuple(state.members.get(tier, "").split(" ")[1:])


def members_now(universe: UniverseSpec, state: State, tier: str) -> tuple[str, ...]:
    """Members in force: without those that the policy denies, or moved elsewhere, since."""
    return tuple(
        symbol
        for symbol in kept_members(state, tier)
        if tier_of(universe, symbol) == tier and not is_denied(universe, symbol)
    )


def is_due(universe: UniverseSpec, state: State, tier: str, close_ms: int) -> bool:
    """Whether members of the tier are chosen anew: a refresh period began since the last time."""
    before = refreshed_ms(state, tier)
    return before < 0 or before // universe.refresh_ms != close_ms // universe.refresh_ms


def due_tiers(universe: UniverseSpec, state: State, close_ms: int) -> list[TierSpec]:
    """Tiers whose members are chosen anew at this decision."""
    return [tier for tier in universe.tiers if is_due(universe, state, tier.name, close_ms)]


def regime_is_due(universe: UniverseSpec, state: State, close_ms: int) -> bool:
    """Whether the regime is told anew: a bar of the benchmark closed since, or its name is none of
    the policy's."""
    regime = universe.regime
    if regime is None:
        return False
    names = {UNKNOWN, *(one.name for one in regime.states)}
    newest = last_closed_open_ms(close_ms, regime.timeframe_ms)
    return state.number("regime_ms") != newest or state.word("regime") not in names


def symbols_of(spec: StrategySpec, parameters: Parameters, state: State) -> tuple[str, ...]:
    """Instruments that a strategy looks at now: its list, or the members of its tier."""
    if not spec.tier:
        return spec.symbols
    return members_now(parameters.universe, state, spec.tier)


def followed_symbols(parameters: Parameters, state: State) -> list[str]:
    """Every instrument that some strategy looks at now, sorted."""
    specs = parameters.strategies
    return sorted({s for spec in specs for s in symbols_of(spec, parameters, state)})


# --- what must be read ---------------------------------------------------------------------------


def asks_bars(tier: TierSpec) -> bool:
    """Whether anything is measured to decide who is a member (bars come with quotes); a tier that
    asks for nothing takes all it names."""
    limits = (tier.quote_volume_min, tier.price_min, tier.depth_min)
    whole = (tier.take, tier.age_ms_min, tier.spread_ppm_max)
    return any(whole) or any(float(limit) > 0 for limit in limits)


def age_step_ms(universe: UniverseSpec, tier: TierSpec) -> int:
    """Length of the bars that tell a candidate's age: those of the universe, or whole days where
    they would be many (a year of hours for each of hundreds of candidates)."""
    if tier.age_ms_min < RANK_MS or universe.timeframe_ms >= DAY_MS:
        return universe.timeframe_ms
    return DAY_MS


def look_back_ms(universe: UniverseSpec, tier: TierSpec) -> int:
    """How far back a tier's measures on bars of `universe.timeframe` reach, slack included."""
    rank_ms = RANK_MS if tier.take and tier.rank_by != "quote_volume" else VOLUME_MS
    age_ms = tier.age_ms_min if age_step_ms(universe, tier) == universe.timeframe_ms else 0
    return max(VOLUME_MS, age_ms, rank_ms, universe.timeframe_ms) + SLACK_MS


def candidate_spans(
    parameters: Parameters, state: State, close_ms: int
) -> dict[tuple[str, int], Span]:
    """By (candidate, bar length) of a tier that is due and asks for bars: first and last open time
    of the bars that its measures read. Instruments that are not known yet are left out."""
    universe = parameters.universe
    spans: dict[tuple[str, int], Span] = {}
    for tier in filter(asks_bars, due_tiers(universe, state, close_ms)):
        wanted = {universe.timeframe_ms: look_back_ms(universe, tier)}
        wanted.setdefault(age_step_ms(universe, tier), tier.age_ms_min + SLACK_MS)
        known = [
            s
            for s in candidates_of(parameters, tier, state.instruments)
            if s in state.instruments and not is_denied(universe, s)
        ]
        spans |= {
            (symbol, step_ms): _span(close_ms, step_ms, back_ms)
            for symbol in known
            for step_ms, back_ms in wanted.items()
        }
    return spans


def _span(close_ms: int, step_ms: int, back_ms: int) -> Span:
    """Open times of the bars that reach back from the newest closed one."""
    last = last_closed_open_ms(close_ms, step_ms)
    return bar_open_ms(last + step_ms - back_ms, step_ms), last

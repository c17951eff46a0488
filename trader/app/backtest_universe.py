"""The universe of a back-test: the policy's, fitted to the bar files that were given.

Lives here: which tier a file's pair belongs to when the policy names it otherwise, the timeframes
that the files allow, and a sentence for each such departure. Candidates are the files' pairs; who
of them is a member is chosen by the core, as in a cycle. Must not live here: reading files.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from trader.core.parameters import RegimeSpec, StrategySpec, UniverseSpec
from trader.core.universe import age_step_ms, asks_bars, tier_of
from trader.core.universe_windows import regime_rules
from trader.domain.pairs import is_pattern
from trader.domain.timeframe import TIMEFRAMES_MS, timeframe_name
from trader.records import replace

Wanted = set[tuple[str, int]]


def fit_universe(
    universe: UniverseSpec,
    specs: Sequence[StrategySpec],
    symbols: Collection[str],
    quote: str,
    step_ms: int,
    assumed: list[str],
) -> UniverseSpec:
    """The policy's universe over these files' pairs. `quote`: of the policy; `step_ms`: of the
    decision bars. Adds to `assumed` what had to be assumed."""
    if not universe.tiers and universe.regime is None:
        return universe
    fitted = _with_strangers(universe, specs, symbols, quote, assumed)
    fitted = _without_absent(fitted, specs, symbols, assumed)
    fitted = _on_bars(fitted, step_ms, assumed)
    if fitted.regime is None:
        return fitted
    return replace(fitted, regime=_regime(fitted.regime, symbols, step_ms, assumed))


def tier_here(universe: UniverseSpec, symbol: str, quote: str) -> str:
    """The tier of a pair; one that settles in another currency than the policy's is taken for the
    same coin in that; "" for none."""
    base = symbol.partition("/")[0]
    return tier_of(universe, symbol) or tier_of(universe, f"{base}/{quote}")


def _with_strangers(
    universe: UniverseSpec,
    specs: Sequence[StrategySpec],
    symbols: Collection[str],
    quote: str,
    assumed: list[str],
) -> UniverseSpec:
    """Pairs that no tier knows are taken into the first one that some strategy follows."""
    if not universe.tiers:
        return universe
    followed = [tier.name for tier in universe.tiers if any(tier.name == s.tier for s in specs)]
    fallback = (followed or [universe.tiers[0].name])[0]
    added: dict[str, list[str]] = {}
    for symbol in sorted(symbols):
        if not tier_of(universe, symbol):
            into = tier_here(universe, symbol, quote) or fallback
            added.setdefault(into, []).append(symbol)
            assumed.append(f"{symbol}: in no tier of the policy, taken into tier {into} here")
    tiers = tuple(
        replace(tier, pairs=(*tier.pairs, *added.get(tier.name, ()))) for tier in universe.tiers
    )
    return replace(universe, tiers=tiers)


def _without_absent(
    universe: UniverseSpec,
    specs: Sequence[StrategySpec],
    symbols: Collection[str],
    assumed: list[str],
) -> UniverseSpec:
    """Pairs without a file are no candidates; those that no strategy names are told here."""
    named = {symbol for spec in specs for symbol in spec.symbols}
    pairs = {pair for tier in universe.tiers for pair in tier.pairs if not is_pattern(pair)}
    absent = sorted(pairs - set(symbols) - named)
    if absent:
        assumed.append(f"left out of the tiers, because no bars were given: {', '.join(absent)}")
    tiers = tuple(
        replace(tier, pairs=tuple(p for p in tier.pairs if is_pattern(p) or p in symbols))
        for tier in universe.tiers
    )
    return replace(universe, tiers=tiers)


def _on_bars(universe: UniverseSpec, step_ms: int, assumed: list[str]) -> UniverseSpec:
    if universe.tiers and universe.timeframe_ms % step_ms:
        step = timeframe_name(step_ms)
        assumed.append(f"members are measured on {step} bars, not on {universe.timeframe}")
        universe = replace(universe, timeframe=step, timeframe_ms=step_ms)
    return universe


def _regime(
    regime: RegimeSpec, symbols: Collection[str], step_ms: int, assumed: list[str]
) -> RegimeSpec | None:
    """The regime on the bars at hand; None, and said so, when they cannot tell it."""
    benchmark = regime.benchmark
    if benchmark not in symbols:
        base = benchmark.partition("/")[0]
        same = sorted(symbol for symbol in symbols if symbol.partition("/")[0] == base)
        if not same:
            assumed.append(
                f"the regime is LEFT OUT, every tier is open at full size: no bars of {benchmark}"
            )
            return None
        assumed.append(f"the regime is told from {same[0]}, not from {benchmark}")
        regime = replace(regime, benchmark=same[0])
    if regime.timeframe_ms % step_ms:
        step = timeframe_name(step_ms)
        assumed.append(f"the regime is told on {step} bars, not on {regime.timeframe}")
        regime = replace(regime, timeframe=step, timeframe_ms=step_ms)
    odd = [ms for ms in regime_steps_ms(regime) if ms % step_ms]
    if odd:
        assumed.append(
            "the regime is LEFT OUT, every tier is open at full size: its rules look at "
            f"{timeframe_name(odd[0])} bars, the files allow {timeframe_name(step_ms)}"
        )
        return None
    return regime


def regime_steps_ms(regime: RegimeSpec) -> list[int]:
    """The timeframes that the regime's rules look at."""
    bound = regime_rules(regime)
    frames = bound.frames if bound is not None else ()
    return sorted({regime.timeframe_ms, *(TIMEFRAMES_MS[f.timeframe] for f in frames)})


def universe_series(universe: UniverseSpec, symbols: Collection[str]) -> Wanted:
    """(symbol, bar length) of every series that members and regime are told from."""
    wanted: Wanted = set()
    asking = [tier for tier in universe.tiers if asks_bars(tier)]
    if asking:
        steps = {universe.timeframe_ms, *(age_step_ms(universe, tier) for tier in asking)}
        wanted |= {(symbol, step_ms) for symbol in symbols for step_ms in steps}
    if universe.regime is not None:
        benchmark = universe.regime.benchmark
        wanted |= {(benchmark, step_ms) for step_ms in regime_steps_ms(universe.regime)}
    return wanted

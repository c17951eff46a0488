"""A random back-test for two engines: bars, policy and options from one seed.

Lives here: `made_case`, which draws one of three kinds: plain entries and exits (what a fast engine
has a short way for, so where its mistakes are), every way out, and everything at once. Must not
live here: how bars and rules are drawn, and what is compared.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import worlds_limits
from equal_bars import DAY_MS, HOUR_MS, QUOTE, Market, longer_steps, made_market
from equal_rules import NUMBERS, code_of, filed, program_steps, ruled

from trader.app.backtest_inputs import BacktestInputs
from trader.core.limits import Home, Limits, Restricted
from trader.core.parameters import (
    EntryStyle,
    Parameters,
    RegimeSpec,
    RegimeState,
    SizeSpec,
    StrategyCode,
    StrategySpec,
    TierSpec,
    UniverseSpec,
)
from trader.core.scale import cash_digits_for
from trader.core.simulate import Model
from trader.domain.timeframe import TIMEFRAMES_MS, timeframe_name
from trader.policy.rules_compile import compile_rules

PPM = 1_000_000
KINDS = ("plain", "plain", "plain", "plain", "ways", "ways", "any")
CASH_MAX = Decimal(1_000_000)
# Limits that are named again and again in plain cases, because a fast engine sums them by itself.
OFTEN = ("cooldowns", "positions_max", "trades_hour_max", "exposure_ppm_max", "position_ppm",
         "order_value_max", "day_stop_ppm", "volume_ppm_max", "calendar", "loss_ppm_max",
         "trim_from_ppm", "slippage_ppm", "order_notional_min", "bar_jump_ppm_max", "collar_ppm",
         "drawdown_ppm_max", "strategy_drawdown_ppm", "rolling_loss_ppm", "messages", "day",
         "spread_ppm_max", "trades_day_max", "collar_window_ppm", "missing_ppm_max")  # fmt: skip
# Limits that say no now and then, where the others say it nearly always.
SOMETIMES: dict[str, worlds_limits.Draw] = {
    "collar_ppm": lambda g: g.rng.choice((2_000, 10_000, 30_000)),
    "spread_ppm_max": lambda g: g.rng.choice((1_000, 30_000)),
    "collar_window_ppm": lambda g: g.rng.choice((10_000, 50_000)),
    "bar_jump_ppm_max": lambda g: g.rng.choice((4_000, 20_000)),
    "order_qty_max": lambda g: g.rng.choice(("3", "1000", "1000000")),
    "trades_hour_max": lambda g: g.rng.choice((2, 4)),
    "trades_day_max": lambda g: g.rng.choice((4, 10, 30)),
    "slippage_ppm": lambda g: g.rng.choice((100, 500)),
    "unattended_max": lambda g: g.rng.choice((5, 20)),
    "drawdown_ppm_max": lambda g: g.rng.choice((40_000, 100_000)),
    "restricted": lambda g: Restricted(instruments=(g.symbols[-1],)),
    "depth_ppm_max": lambda _: 0,
    "approval": lambda _: "given",
    "home": lambda _: Home(),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One back-test; `kind` and `theme` say what it was drawn for."""

    name: str
    kind: str
    theme: tuple[str, ...]
    inputs: BacktestInputs


def made_case(seed: int, number: int, rows_max: int, market: Market | None = None) -> Case:
    """Case `number` of a seed: equal numbers make equal cases. `market`: on these bars."""
    rng = random.Random(f"equal {seed} {number}")
    kind = rng.choice(KINDS)
    market = market or made_market(rng, rows_max)
    cash = Decimal(rng.choice(("250", "1000", "10000", "100000", "12345.67", "500000")))
    theme = drawn_theme(rng, kind)
    limits = drawn_limits(rng, cash, market.symbols, theme, kind)
    specs, codes = drawn_strategies(rng, kind, market, cash)
    universe, specs = drawn_universe(rng, kind, market, specs)
    parameters = Parameters(
        account="equal",
        mode="backtest",
        prefix="abcdef",
        quote=QUOTE,
        step_ms=market.step_ms,
        anchor_bars=rng.choice((5, 16, 64, 256)),
        capital="",
        cash_max=str(CASH_MAX),
        venue="binance",
        limits=limits,
        strategies=specs,
        universe=universe,
    )
    inputs = BacktestInputs(
        parameters,
        codes,
        market.instruments,
        market.with_frames(steps_of(specs, codes, universe, market.step_ms)),
        cash,
        cash_digits_for(list(market.instruments), CASH_MAX),
        *drawn_range(rng, market),
        drawn_model(rng, kind),
    )
    return Case(f"{seed}:{number}", kind, theme, inputs)


def plain_case(market: Market, texts: Mapping[str, str], *, hold_bars: int = 0) -> Case:
    """One strategy of these rules on all instruments: 90 % of 100,000 each time, no limit that
    binds, no spread."""
    cash = Decimal(100_000)
    spec = StrategySpec(
        name="s0",
        source="",
        source_sha="",
        symbols=market.symbols,
        timeframe=timeframe_name(market.step_ms),
        timeframe_ms=market.step_ms,
        numbers=NUMBERS,
        ttl_bars=1,
        enabled=True,
        hold_ms_max=hold_bars * market.step_ms,
        budget_exposure_ppm=2 * PPM,
        budget_loss_ppm=2 * PPM,
        size=SizeSpec("equity_share", 900_000),
    )
    code = code_of(texts, spec.timeframe)
    limits = drawn_limits(random.Random("loose"), cash, market.symbols, (), "loose")
    limits = replace(limits, slippage_ppm=50_000, exit_slippage_ppm=50_000, collar_ppm=500_000)
    limits = replace(limits, position_ppm=PPM, trades_hour_max=1_000, trades_day_max=100_000)
    limits = replace(limits, exposure_ppm_max=2 * PPM, loss_ppm_max=2 * PPM, asset_ppm_max=2 * PPM)
    limits = replace(limits, pending_ppm_max=2 * PPM, order_notional_min="0", trim_from_ppm=0)
    limits = replace(limits, day_stop_ppm=PPM, drawdown_ppm_max=PPM, rolling_loss_ppm=PPM)
    parameters = Parameters(
        account="equal",
        mode="backtest",
        prefix="abcdef",
        quote=QUOTE,
        step_ms=market.step_ms,
        anchor_bars=64,
        capital="",
        cash_max=str(CASH_MAX),
        venue="binance",
        limits=limits,
        strategies=(replace(spec, program=code.program),),
    )
    digits = cash_digits_for(list(market.instruments), CASH_MAX)
    inputs = BacktestInputs(
        parameters, {"s0": code}, market.instruments, market.series, cash, digits,
        market.first_ms, market.end_ms, Model(spread_ppm=0),
    )  # fmt: skip
    return Case("plain", "plain", (), inputs)


def drawn_theme(rng: random.Random, kind: str) -> tuple[str, ...]:
    """Names of the limits that bind now and then."""
    count = rng.choice((0, 0, 1, 1, 2, 3) if kind != "any" else (0, 1, 2, 3, 3, 8))
    pool = OFTEN if kind == "plain" and rng.random() < 0.7 else sorted(worlds_limits.TIGHT)
    return tuple(sorted(rng.sample(pool, count)))


def drawn_limits(
    rng: random.Random, cash: Decimal, symbols: tuple[str, ...], theme: tuple[str, ...], kind: str
) -> Limits:
    """Loose limits but for the theme's."""
    given = worlds_limits.Given(rng, cash, symbols)
    tight = {**worlds_limits.TIGHT, **SOMETIMES} if rng.random() < 0.7 else worlds_limits.TIGHT
    drawn = {
        name: (tight if name in theme else worlds_limits.LOOSE)[name](given)
        for name in worlds_limits.LOOSE
    }
    if kind == "plain":
        drawn["slippage_ppm"] = rng.choice((1_000, 5_000, 50_000, 50_000))
        if "collar_ppm" not in theme:
            drawn["collar_ppm"] = rng.choice((100_000, 500_000))
        if rng.random() < 0.4 and "position_ppm" not in theme:
            drawn["position_ppm"] = drawn["asset_ppm_max"] = PPM
            drawn["exposure_ppm_max"] = drawn["pending_ppm_max"] = PPM
    elif rng.random() < 0.3:
        drawn["trim_from_ppm"] = rng.choice((1_000, 50_000, 200_000))
    found = Limits(**drawn)
    return replace(found, exit_slippage_ppm=max(found.slippage_ppm, found.exit_slippage_ppm))


def drawn_strategies(
    rng: random.Random, kind: str, market: Market, cash: Decimal
) -> tuple[tuple[StrategySpec, ...], dict[str, StrategyCode]]:
    """One to four, on shared instruments."""
    count = rng.choice((1, 1, 1, 2, 3) if kind == "plain" else (1, 1, 2, 2, 3, 4))
    specs: list[StrategySpec] = []
    codes: dict[str, StrategyCode] = {}
    for index in range(count):
        name = f"s{index}"
        spec = drawn_strategy(rng, name, kind, market, cash)
        if kind != "plain" and rng.random() < 0.2:
            codes[name] = filed(rng, spec.timeframe_ms)
            spec = replace(spec, source=f"{name}.py", scale_ppm=(), hold_ms_max=spec.hold_ms_max)
        else:
            code = ruled(rng, spec.timeframe_ms, len(spec.scale_ppm), plain=kind == "plain")
            codes[name], spec = code, replace(spec, program=code.program, numbers=NUMBERS)
        specs.append(spec)
    return tuple(specs), codes


def drawn_strategy(
    rng: random.Random, name: str, kind: str, market: Market, cash: Decimal
) -> StrategySpec:
    """What of a strategy is not its rules."""
    step_ms = market.step_ms
    longer = longer_steps(step_ms)[:4]
    plain = kind == "plain"
    own_ms = (
        step_ms if not longer or rng.random() < (0.85 if plain else 0.6) else rng.choice(longer)
    )
    symbols = market.symbols
    if rng.random() < 0.2:
        symbols = tuple(rng.sample(symbols, rng.randrange(1, len(symbols) + 1)))
    share = rng.choice((PPM, PPM, 950_000, 400_000, 50_000, 50_000, 20_077, 1_000))
    drawn: dict[str, Any] = worlds_limits.draw_strategy(rng, cash)
    if plain:
        drawn = {"size": SizeSpec("equity_share", share), "style": EntryStyle()}
        if rng.random() < 0.15:
            drawn["size"] = worlds_limits.draw_strategy(rng, cash)["size"]
    some = 0.1 if plain else 0.4
    return StrategySpec(
        name=name,
        source="",
        source_sha="",
        symbols=symbols,
        timeframe=timeframe_name(own_ms),
        timeframe_ms=own_ms,
        numbers={},
        ttl_bars=rng.choice((2, 3, 4)) if rng.random() < some else 1,
        enabled=rng.random() < 0.97,
        shadow=rng.random() < 0.04,
        priority=rng.choice((100, 100, 50, 200)),
        hold_ms_max=rng.choice((1, 3, 20)) * step_ms if rng.random() < some else 0,
        pyramiding=rng.random() < some,
        budget_exposure_ppm=rng.choice((100_000, 300_000)) if rng.random() < some else 2 * PPM,
        budget_loss_ppm=rng.choice((5_000, 30_000)) if rng.random() < some else 2 * PPM,
        budget_positions_max=rng.choice((1, 2)) if rng.random() < some else 1_000,
        budget_trades_day_max=rng.choice((1, 3)) if rng.random() < some else 1_000,
        scale_ppm=rng.choice(((300_000,), (500_000, 500_000), (200_000, 300_000, 400_000)))
        if rng.random() < some
        else (),
        **drawn,
    )


def drawn_universe(
    rng: random.Random, kind: str, market: Market, specs: tuple[StrategySpec, ...]
) -> tuple[UniverseSpec, tuple[StrategySpec, ...]]:
    """None mostly; else tiers, with a regime now and then, and strategies that follow a tier."""
    if rng.random() < (0.9 if kind != "any" else 0.6):
        return UniverseSpec(), specs
    frame_ms = max(market.step_ms, rng.choice((15 * 60_000, HOUR_MS)))
    if frame_ms not in TIMEFRAMES_MS.values() or frame_ms % market.step_ms:
        frame_ms = market.step_ms
    tiers = (
        TierSpec("core", market.symbols[:1], weight_ppm=rng.choice((PPM, 200_000))),
        TierSpec(
            "rotational",
            (f".*/{QUOTE}",),
            take=rng.choice((0, 1, 2)),
            keep=2,
            rank_by=rng.choice(("quote_volume", "momentum", "volatility")),
            positions_max=rng.choice((1, 1_000)),
            spread_ppm_max=rng.choice((0, 400)),
            age_ms_min=rng.choice((0, 0, 20 * market.step_ms)),
        ),
    )
    regime = _regime(market, frame_ms, rng) if rng.random() < 0.4 else None
    universe = UniverseSpec(
        timeframe_name(frame_ms), frame_ms, rng.choice((1, 4)) * frame_ms, tiers, (), regime
    )
    follows = rng.random() < 0.6
    return universe, tuple(
        replace(spec, symbols=(), tier="rotational") if follows and not index else spec
        for index, spec in enumerate(specs)
    )


def _regime(market: Market, frame_ms: int, rng: random.Random) -> RegimeSpec:
    own = timeframe_name(frame_ms)
    texts = {"bear": "close < sma(close, 4)"}
    program = compile_rules(texts, parameters={}, triggers={}, own_timeframe=own).program
    states = (
        RegimeState("bear", "bear", rng.choice(((), ("core",))), 400_000),
        RegimeState("calm", "", ("core", "rotational"), rng.choice((PPM, 700_000))),
    )
    return RegimeSpec(market.symbols[0], own, frame_ms, rng.choice((1, 2)), states, program)


def drawn_range(rng: random.Random, market: Market) -> tuple[int, int]:
    """From where to where it is decided; the bars before are history."""
    rows = (market.end_ms - market.first_ms) // market.step_ms
    first = rng.choice((0, 0, rows // 10, rows // 3))
    last = rows if rng.random() < 0.7 else rows - rng.randrange(rows // 4 + 1)
    return market.first_ms + first * market.step_ms, market.first_ms + last * market.step_ms


def drawn_model(rng: random.Random, kind: str) -> Model:
    """Spread, the coin that fees are taken in, and whether stops may rest at the venue."""
    spread = rng.choice((0, 0, 0, 2, 20, 200, 2_000))
    stops = kind != "plain" and rng.random() < 0.2
    return Model(spread, fee_in_base=rng.random() < 0.3, stops=stops)


def steps_of(
    specs: tuple[StrategySpec, ...],
    codes: Mapping[str, StrategyCode],
    universe: UniverseSpec,
    step_ms: int,
) -> set[int]:
    """Lengths of all bars that a decision may read."""
    found = {spec.timeframe_ms for spec in specs} | {universe.timeframe_ms} | {DAY_MS}
    for code in codes.values():
        found |= program_steps(code, TIMEFRAMES_MS.__getitem__)
    return {ms for ms in found if ms % step_ms == 0}

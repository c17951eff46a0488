"""What a policy means to the core: limits and strategies as plain integers and floats.

Lives here: the frozen values that `policy` builds from YAML (shares are millionths, `ppm`) and that
every decision reads. Must not live here: how they are written or checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trader.core.limits import Limits
from trader.records import dataclass, field

Columns = Mapping[str, Any]


def no_program() -> Mapping[str, Any]:
    """The plain form of no rules at all."""
    return {}


@dataclass(frozen=True, slots=True)
class TierSpec:
    """One tier of the universe.

    Attributes:
        name: `core`, `rotational` or `event`.
        pairs: instruments, or patterns such as `.*/USDT`, in declared order.
        quote_volume_min, depth_min, price_min: settlement currency, decimal text; "0" asks nothing.
        spread_ppm_max: of the quote, (ask - bid) / mid; 0 asks nothing. age_ms_min: 0 likewise.
        take: how many of the best ranked are members, 0: all that pass. keep: a member stays until
            its rank is below this one, >= take. rank_by: `quote_volume`, `momentum`, `volatility`.
        positions_max: open positions and entries in flight of the tier. weight_ppm: cap of the
            tier's exposure, share of equity.
    """

    name: str
    pairs: tuple[str, ...]
    quote_volume_min: str = "0"
    spread_ppm_max: int = 0
    depth_min: str = "0"
    age_ms_min: int = 0
    price_min: str = "0"
    take: int = 0
    keep: int = 0
    rank_by: str = "quote_volume"
    positions_max: int = 1_000_000
    weight_ppm: int = 1_000_000


@dataclass(frozen=True, slots=True)
class RegimeState:
    """One regime: `output` is its program's output name ("" for the last, which always holds),
    `tiers` those that may open positions, `risk_ppm` the factor of every entry's size."""

    name: str
    output: str
    tiers: tuple[str, ...]
    risk_ppm: int


@dataclass(frozen=True, slots=True)
class RegimeSpec:
    """How the market's regime is told: the first state whose rule holds on the benchmark's bars.

    `program` is the plain form of the rules (see `rules`); `confirm_bars`: for how many bars in a
    row a state must hold before it counts, >= 1.
    """

    benchmark: str
    timeframe: str
    timeframe_ms: int
    confirm_bars: int
    states: tuple[RegimeState, ...]
    program: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UniverseSpec:
    """What may be traded: tiers in declared order, what is denied, and the regime, if any.

    `timeframe` is that of the bars all measures are taken from; membership is decided anew at
    every multiple of `refresh_ms`.
    """

    timeframe: str = "1h"
    timeframe_ms: int = 3_600_000
    refresh_ms: int = 3_600_000
    tiers: tuple[TierSpec, ...] = ()
    deny: tuple[str, ...] = ()
    regime: RegimeSpec | None = None


@dataclass(frozen=True, slots=True)
class SizeSpec:
    """How large a strategy's entry is, before caps (see `sizes` for each method's formula).

    Attributes:
        method: `fixed`, `equity_share`, `risk`, `conservative`, `aggressive`, `volatility`, `kelly`
            or `risk_parity`.
        share_ppm: value of one position, share of equity: of `equity_share`; of `volatility` at
            most; of `risk_parity` the value of all its positions together.
        notional: value of one position of `fixed`, settlement currency, decimal text.
        risk_ppm: of `risk`: what is lost if the stop is hit, share of equity.
        volatility_ppm: annualised target of `volatility`. span_bars: of its EWMA.
        fraction_ppm: of `kelly`: how much of the full Kelly share. trades_min: settled trades that
            it needs. risk_ppm_max: its cap, as risk_ppm.
        across: `instruments` or `strategies`; bars: of its covariance; shrink_ppm: how far that is
            shrunk: of `risk_parity`.
        notional_min: smallest order of its own, decimal text.
    """

    method: str = "equity_share"
    share_ppm: int = 50_000
    notional: str = "0"
    risk_ppm: int = 10_000
    volatility_ppm: int = 200_000
    span_bars: int = 60
    fraction_ppm: int = 250_000
    trades_min: int = 30
    risk_ppm_max: int = 20_000
    across: str = "instruments"
    bars: int = 120
    shrink_ppm: int = 200_000
    notional_min: str = "0"


@dataclass(frozen=True, slots=True)
class EntryStyle:
    """How an entry order works: `taker` (immediate-or-cancel at the touch and the slippage cap) or
    `maker` (post-only at the bid, lives `ttl_ms`, is moved when the bid has gone `reprice_ppm`
    away, at most `moves_max` times)."""

    style: str = "taker"
    ttl_ms: int = 300_000
    reprice_ppm: int = 500
    moves_max: int = 5


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """One configured strategy.

    Attributes:
        name: from strategies.yaml; source: file name below the strategies folder.
            ("" for a strategy of rules alone). source_sha: sha256 of the source text, hex; ""
            likewise.
        symbols: instruments it may trade, in declared order; empty when it follows a tier.
        timeframe_ms: its bars; it speaks only when one of them has just closed.
        numbers: its parameters.
        ttl_bars: for how many of its bars an entry signal stays alive, >= 1.
        enabled: whether it may open positions; exits always run.
        tier: the tier whose members it trades, "" when `symbols` names them.
        shadow: it decides and is journaled, and opens nothing; exits go on.
        priority: who is asked first, lower first; equal ones in declared order.
        hold_ms_max: longest a position is held, 0: as long as it likes.
        pyramiding: whether it may add to what it holds.
        budget_exposure_ppm, budget_loss_ppm: caps of its exposure, and of what is lost if every
            stop of its positions is hit; share of equity.
        budget_positions_max, budget_trades_day_max: of its own.
        size: how large an entry is. style: how its order works.
        scale_ppm: scale-out: share of what was bought that leaves at each step, in order; where
            each step is comes from the opinion.
        program: plain form of its rules (see `rules`); empty when there are none.
    """

    name: str
    source: str
    source_sha: str
    symbols: tuple[str, ...]
    timeframe: str
    timeframe_ms: int
    numbers: Mapping[str, float | int]
    ttl_bars: int
    enabled: bool
    tier: str = ""
    shadow: bool = False
    priority: int = 100
    hold_ms_max: int = 0
    pyramiding: bool = False
    budget_exposure_ppm: int = 1_000_000
    budget_loss_ppm: int = 1_000_000
    budget_positions_max: int = 1_000_000
    budget_trades_day_max: int = 1_000_000
    size: SizeSpec = SizeSpec()
    style: EntryStyle = EntryStyle()
    scale_ppm: tuple[int, ...] = ()
    program: Mapping[str, Any] = field(default_factory=no_program)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything of the policy that a decision reads.

    Attributes:
        account, mode, prefix: identity of the books (see `identity`).
        step_ms: length of a decision bar.
        anchor_bars: the anchor block of signal evaluation, in bars of the strategy's timeframe.
        capital: the slice of the account as decimal text, or "" for all of it.
        cash_max: the most cash the integers must hold, decimal text.
        venue: where orders go; "" when nobody said: then nothing is opened.
    """

    account: str
    mode: str
    prefix: str
    quote: str
    step_ms: int
    anchor_bars: int
    capital: str
    cash_max: str
    limits: Limits
    strategies: tuple[StrategySpec, ...]
    universe: UniverseSpec = UniverseSpec()
    venue: str = ""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every instrument that some strategy names, sorted."""
        return tuple(sorted({symbol for spec in self.strategies for symbol in spec.symbols}))


@dataclass(frozen=True, slots=True)
class StrategyCode:
    """What a strategy decides with: a file's `warmup(numbers)` and `signals(bars, numbers)`, rules,
    or both (then the rules' outputs stand in for the file's columns of the same names)."""

    warmup: Callable[[Mapping[str, float | int]], int]
    signals: Callable[[Any, Mapping[str, float | int]], Columns]
    program: Mapping[str, Any] = field(default_factory=no_program)

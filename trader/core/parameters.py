"""What a policy means to the core: limits and strategies as plain integers and floats.

Lives here: the frozen values that `policy` builds from YAML (shares are millionths, `ppm`) and that
every decision reads. Must not live here: how they are written or checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """What gates hold every order to.

    Attributes:
        slippage_ppm: cap on what an order may pay beyond the touch.
        exit_slippage_ppm: wider cap of an exit's second attempt, >= slippage_ppm.
        collar_ppm: distance from the last close at which a price is insane; only ever rejects.
        position_ppm: cap of one position's exposure, share of equity.
        positions_max: open positions (and entries in flight) at most.
        order_notional_min: smallest order worth its fees, settlement currency, decimal text.
        quote_age_ms_max: oldest quote that may gate or price.
        missing_ppm_max: share of bars that may be absent from a strategy's window.
        bar_jump_ppm_max: close-to-close change at which the newest bar is implausible.
    """

    slippage_ppm: int
    exit_slippage_ppm: int
    collar_ppm: int
    position_ppm: int
    positions_max: int
    order_notional_min: str
    quote_age_ms_max: int
    missing_ppm_max: int
    bar_jump_ppm_max: int


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """One configured strategy.

    Attributes:
        name: from strategies.yaml; source: file name below the strategies folder.
        source_sha: sha256 of the source text, hex.
        symbols: instruments it may trade, in declared order.
        timeframe_ms: its bars; it speaks only when one of them has just closed.
        numbers: its parameters.
        equity_ppm: size of one position, share of equity.
        ttl_bars: for how many of its bars an entry signal stays alive, >= 1.
        enabled: whether it may open positions; exits always run.
    """

    name: str
    source: str
    source_sha: str
    symbols: tuple[str, ...]
    timeframe: str
    timeframe_ms: int
    numbers: Mapping[str, float | int]
    equity_ppm: int
    ttl_bars: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything of the policy that a decision reads.

    Attributes:
        account, mode, prefix: identity of the books (see `identity`).
        step_ms: length of a decision bar.
        anchor_bars: the anchor block of signal evaluation, in bars of the strategy's timeframe.
        capital: the slice of the account as decimal text, or "" for all of it.
        cash_max: the most cash the integers must hold, decimal text.
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

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every instrument that some strategy names, sorted."""
        return tuple(sorted({symbol for spec in self.strategies for symbol in spec.symbols}))


@dataclass(frozen=True, slots=True)
class StrategyCode:
    """The functions of one strategy file: `warmup(numbers)` and `signals(bars, numbers)`."""

    warmup: Callable[[Mapping[str, float | int]], int]
    signals: Callable[[Any, Mapping[str, float | int]], Columns]

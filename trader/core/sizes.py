"""Sizes: how many lots an entry is, by the method that its strategy names.

Lives here: one function per method, which says what an entry may cost or what it may lose; and what
happens to every size then: strength and regime, lots rounded down, the caps on value, the smallest
order. Must not live here: the formulas (`risk`, `risk_curve`, `volatility`, `kelly`,
`risk_parity`), and permission (`gates`).

Every size is computed at the worst price that the slippage cap allows from the close, so that no
fill can cost or lose more, and a back-test needs no open to come. What one method alone computes
with is imported by it: a cold pass that sizes otherwise does not load it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from trader.core.desk import Desk, Seen
from trader.core.kelly import kelly_ppm
from trader.core.money import PPM, share_down
from trader.core.parameters import StrategySpec
from trader.core.risk import loss_units, lots_at_risk
from trader.core.risk_curve import CONSERVATIVE_PPM, aggressive_ppm
from trader.core.scale import Spec, cash_units, notional_down, one_in_units
from trader.core.size_windows import closes_wanted, size_span
from trader.core.sizing import (
    entry_cost_units,
    entry_lots,
    float_down,
    strength_ppm,
)
from trader.records import dataclass

NOTHING_TOLD: Seen = {}


class Wanted(NamedTuple):
    """What a method asks for, before strength and regime.

    `units`: cash units that the entry may cost with its fee, or `at_risk` that it may lose to the
    stop. `told`: for the trail. `problem`: "" or why there is no size, as `CODE key=value ...`.
    """

    units: int = 0
    told: Seen = NOTHING_TOLD
    at_risk: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sized:
    """`lots` > 0, or 0 and why: `answer` is `CODE key=value ...`. `told`: for the trail, with
    `bound`: the method, the cap or the venue's quantity that made it no larger."""

    lots: int
    answer: str
    told: Seen


Method = Callable[[Desk, StrategySpec, str], Wanted]


# --- the methods ---------------------------------------------------------------------------------


def fixed(desk: Desk, strategy: StrategySpec, _symbol: str) -> Wanted:
    """`notional`: the same amount, whatever the account is worth."""
    return Wanted(cash_units(strategy.size.notional, desk.cash_digits, up=False), {})


def equity_share(desk: Desk, strategy: StrategySpec, _symbol: str) -> Wanted:
    """Equity x `share`."""
    return Wanted(share_down(desk.equity, strategy.size.share_ppm), {})


def risk(desk: Desk, strategy: StrategySpec, _symbol: str) -> Wanted:
    """Equity x `risk` may be lost to the stop (all that it costs, where there is none)."""
    return _at_risk(desk, strategy.size.risk_ppm, {})


def conservative(desk: Desk, _strategy: StrategySpec, _symbol: str) -> Wanted:
    """1 % of equity may be lost to the stop."""
    return _at_risk(desk, CONSERVATIVE_PPM, {})


def aggressive(desk: Desk, _strategy: StrategySpec, _symbol: str) -> Wanted:
    """2 % of a small account down to 0.5 % of a large one (see `risk_curve`)."""
    return _at_risk(desk, aggressive_ppm(desk.equity, one_in_units(desk.cash_digits)), {})


def kelly(desk: Desk, strategy: StrategySpec, _symbol: str) -> Wanted:
    """A fraction of the Kelly share of the strategy's own settled results may be lost to the stop,
    at most `risk_max`; nothing without evidence or edge (see `kelly`)."""
    size, book = strategy.size, desk.snapshot.state.books.get(strategy.name)
    wins, losses = (book.wins, book.losses) if book else (0, 0)
    won, lost = (book.won_ppm, book.lost_ppm) if book else (0, 0)
    found = kelly_ppm(wins, losses, won, lost, size.fraction_ppm, size.trades_min)
    told: Seen = {"kelly_ppm": found, "losses": losses, "lost_ppm": lost}
    told |= {"trades_min": size.trades_min, "wins": wins, "won_ppm": won}
    return _at_risk(desk, min(found, size.risk_ppm_max), told)


def volatility(desk: Desk, strategy: StrategySpec, symbol: str) -> Wanted:
    """Equity x target / yearly volatility of the instrument, at most equity x `share`."""
    from trader.core.volatility import ewma_variance, yearly

    size, wanted = strategy.size, closes_wanted(strategy.size)
    first_ms, last_ms = size_span(strategy, desk.limits.missing_ppm_max, desk.snapshot.close_ms)
    series = desk.snapshot.series[symbol, strategy.timeframe]
    stop = series.index_of(last_ms + 1)
    there = stop - series.index_of(first_ms)
    if there < wanted:
        return _not_ready(f"bars={there} bars_min={wanted} method=volatility")
    variance = ewma_variance(series.close, stop - wanted, stop, size.span_bars)
    year = yearly(variance, strategy.timeframe_ms)
    if not year > 0.0:
        return _not_ready(f"method=volatility volatility={year.hex()}")
    share = float_down(min(float(size.share_ppm), size.volatility_ppm / year))
    told: Seen = {"share_ppm": share, "volatility": year.hex()}
    return Wanted(share_down(desk.equity, share), told)


def risk_parity(desk: Desk, strategy: StrategySpec, symbol: str) -> Wanted:
    """Equity x `share` x weight, where each instrument (or strategy) adds the same risk."""
    from trader.core.parities import parity

    found = parity(desk, strategy)
    if found.problem:
        return _not_ready(f"method=risk_parity {found.problem}")
    name = strategy.name if strategy.size.across == "strategies" else symbol
    weight = found.weights_ppm[name]
    whole = share_down(desk.equity, strategy.size.share_ppm)
    told: Seen = {"parts": len(found.weights_ppm), "weight_ppm": weight}
    return Wanted(share_down(whole, weight), told)


METHODS: dict[str, Method] = {
    "fixed": fixed,
    "equity_share": equity_share,
    "risk": risk,
    "conservative": conservative,
    "aggressive": aggressive,
    "volatility": volatility,
    "kelly": kelly,
    "risk_parity": risk_parity,
}


def _at_risk(desk: Desk, risk_ppm: int, told: Seen) -> Wanted:
    told["risk_ppm"] = risk_ppm
    return Wanted(share_down(desk.equity, risk_ppm), told, at_risk=True)


def _not_ready(why: str) -> Wanted:
    return Wanted(problem=f"SIZE_NOT_READY {why}")


# --- what happens to every size ------------------------------------------------------------------


def size_entry(
    desk: Desk, strategy: StrategySpec, symbol: str, strength: float, worst: int, stop: int
) -> Sized:
    """How many lots to ask for at the price `worst` (ticks), with a stop at `stop` (0: none).

    What the method asks for x strength x the regime's risk, rounded down to lots with the fee; then
    cut to the smallest cap on value. It ignores cash: the cash gate is what says no. Raises
    AmountOverflow where an amount does not fit.
    """
    equity = desk.view.equity_units()
    told: Seen = {"equity_units": equity, "method": strategy.size.method, "worst_ticks": worst}
    if equity <= 0:
        return Sized(0, f"SIZE_NOTHING equity_units={equity}", told)
    wanted = METHODS[strategy.size.method](desk, strategy, symbol)
    told |= wanted.told
    if wanted.problem:
        return Sized(0, wanted.problem, told)
    risk_ppm = desk.access.risk_ppm
    units = share_down(wanted.units, share_down(strength_ppm(strength), risk_ppm))
    if risk_ppm != PPM:
        told["regime_ppm"] = risk_ppm
    told["risk_units" if wanted.at_risk else "value_units"] = units
    spec = desk.snapshot.state.spec(symbol)
    share_ppm, bound = smallest_cap(desk, strategy, symbol)
    cap = told["cap_units"] = share_down(equity, share_ppm)
    if wanted.at_risk:
        lots = entry_lots(spec, worst, cap, cap)
        # One lot above the cap says as well as a million that the cap binds.
        asked = lots_at_risk(spec, worst, stop, desk.limits.slippage_ppm, units, lots + 1)
        if asked <= lots:
            lots, bound = asked, strategy.size.method
    else:
        lots = entry_lots(spec, worst, units, cap)
        bound = strategy.size.method if units <= cap else bound
    if lots == spec.qty_lots_max:
        bound = "qty_max"
    told["bound"] = bound
    return _enough(desk, strategy, spec, worst, stop, lots, told)


def _enough(
    desk: Desk, strategy: StrategySpec, spec: Spec, worst: int, stop: int, lots: int, told: Seen
) -> Sized:
    """The size, or nothing where its value (its fee not counted) is below the smallest order. The
    venue's smallest quantity is the gate's."""
    least = max(spec.notional_units_min, desk.notional_units_min(strategy))
    value = notional_down(spec, worst, lots)
    if lots <= 0 or value < least:
        words = f"bound={told['bound']} lots={lots}"
        return Sized(0, f"SIZE_NOTHING {words} value_units={value} value_units_min={least}", told)
    told["cost_units"] = entry_cost_units(spec, worst, lots)
    told["loss_units"] = loss_units(spec, worst, lots, stop, desk.limits.slippage_ppm)
    return Sized(lots, "", told)


def smallest_cap(desk: Desk, strategy: StrategySpec, symbol: str) -> tuple[int, str]:
    """The most that one position of a strategy may be worth, share of equity, and the key that says
    so (the first of equal ones). What is held already is not known here: the gates see to it."""
    limits = desk.limits
    most, name = limits.position_ppm, "policy.limits.position"
    if limits.exposure_ppm_max < most:
        most, name = limits.exposure_ppm_max, "policy.limits.exposure_max"
    if strategy.budget_exposure_ppm < most:
        most, name = strategy.budget_exposure_ppm, "budget.exposure"
    tier = desk.tiers.get(strategy.tier or desk.tier_of(symbol))
    if tier and tier.weight_ppm < most:
        most, name = tier.weight_ppm, f"universe.tiers.{tier.name}.weight"
    return most, name

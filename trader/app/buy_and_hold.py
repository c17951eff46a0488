"""Buy and hold: what the same cash came to without a strategy, under the same model.

Lives here: equal parts of the starting balance, each spent on one instrument at the first chance
that a decision would have had, and held. Must not live here: the run that it is compared with.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from trader.app.backtest import open_books
from trader.app.backtest_inputs import BacktestInputs
from trader.core.fees import FeeBook
from trader.core.fills import Met, fill_taker
from trader.core.market import Market
from trader.core.model import CLOSE, Model
from trader.core.money import AMOUNT_MAX, PPM, mul_div_up
from trader.core.scale import Spec, fee_up, notional_down, notional_up, value_of_base_down
from trader.core.sizing import entry_cost_units, entry_lots
from trader.core.state import State
from trader.domain.order import Side
from trader.records import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """One instrument bought and held; amounts in cash units.

    Attributes:
        bought_ms: when it was bought, -1: never (no bar came, or too little cash for one lot).
        paid_units: cash paid, fees included. fee_units: fees of buying and, if closed, selling.
        price_ticks: what was paid for one. qty_units: base units held.
        value_units: at the end, marked at the last close, or sold there with costs.
    """

    symbol: str
    bought_ms: int
    price_ticks: int
    lots: int
    qty_units: int
    paid_units: int
    fee_units: int
    value_units: int


@dataclass(frozen=True, slots=True)
class BuyAndHold:
    """The comparison: each instrument, equity at the end and at each asked instant."""

    held: tuple[Held, ...]
    final_units: int
    curve_units: array[int]


def buy_and_hold(inputs: BacktestInputs, curve_ms: Sequence[int]) -> BuyAndHold:
    """Buy equal parts at the first chance, hold. `curve_ms`: closes of decision bars, rising.

    Bought at what a decision at the first bar's close would have met (latency, spread, slippage
    and fees of the model), whole lots, not bounded by the volume. What no lot fits into stays cash.
    """
    state = open_books(inputs)
    symbols = _symbols(inputs)
    market = Market(inputs.series, inputs.model, inputs.parameters.step_ms, state)
    fees = FeeBook(inputs.model.fees, inputs.series, market.step_ms, inputs.cash_digits)
    share = state.cash_units // max(1, len(symbols))
    held = [_hold(inputs, market, fees, state, symbol, share) for symbol in symbols]
    cash = state.cash_units - sum(one.paid_units for one in held)
    return BuyAndHold(
        tuple(held),
        cash + sum(one.value_units for one in held),
        _curve(inputs, market, state, held, curve_ms),
    )


def _symbols(inputs: BacktestInputs) -> list[str]:
    """Instruments that some strategy may trade."""
    known = sorted({symbol for symbol, _ in inputs.series})
    specs = inputs.parameters.strategies
    if any(spec.tier for spec in specs):
        beside = {inputs.parameters.limits.home.rate_symbol}
        coin = inputs.model.fees.coin
        beside |= {coin.symbol} if coin else set()
        return [symbol for symbol in known if symbol not in beside]
    named = {symbol for spec in specs for symbol in spec.symbols}
    return [symbol for symbol in known if symbol in named]


def _hold(
    inputs: BacktestInputs,
    market: Market,
    fees: FeeBook,
    state: State,
    symbol: str,
    share_units: int,
) -> Held:
    nothing = Held(symbol, -1, 0, 0, 0, 0, 0, 0)
    series = market.whole(symbol)
    if series is None:
        return nothing
    model, spec = inputs.model, state.spec(symbol)
    first, last = series.index_of(inputs.start_ms), series.index_of(inputs.end_ms) - 1
    later = max(0, model.latency_bars - 1) * market.step_ms
    touch, at_ms = None, 0
    for row in range(first, last + 1):
        at_ms = series.open_ms[row] + market.step_ms + later
        touch = market.touch(symbol, at_ms)
        if touch is not None and touch.row <= last:
            break
        touch = None
    if touch is None:
        return nothing
    volume = market.volume_lots(touch.series, touch.row)
    met = Met(touch.base_ticks, touch.spread_ppm, -1, volume)
    rate = fees.rate_ppm(spec, at_ms, maker=False)
    price, lots = _bought(spec, model, met, share_units)
    if not lots:
        return nothing
    value = notional_up(spec, price, lots)
    in_base = model.fee_in_base and model.fees.coin is None
    fee_base = mul_div_up(lots * spec.base_per_lot, rate, PPM) if in_base else 0
    fee = 0 if in_base else fee_up(value, rate)
    qty = lots * spec.base_per_lot - fee_base
    worth, sold_fee = _worth(inputs, market, spec, qty, last, rate)
    fee_told = fee + (value_of_base_down(spec, price, fee_base) if in_base else 0)
    return Held(symbol, at_ms, price, lots, qty, value + fee, fee_told + sold_fee, worth)


def _bought(spec: Spec, model: Model, met: Met, share_units: int) -> tuple[int, int]:
    """(price, lots) for so much cash: the price of the most lots that could be paid without an
    impact is the worst that fewer of them meet."""
    price, _ = fill_taker(Side.BUY, AMOUNT_MAX - 1, 1, met, model.slippage)
    lots = entry_lots(spec, price, share_units, share_units)
    if not lots:
        return 0, 0
    price, _ = fill_taker(Side.BUY, AMOUNT_MAX - 1, lots, met, model.slippage)
    lots = entry_lots(spec, price, share_units, share_units)
    if not lots:
        return 0, 0
    price, _ = fill_taker(Side.BUY, AMOUNT_MAX - 1, lots, met, model.slippage)
    assert entry_cost_units(spec, price, lots) <= share_units
    return price, lots


def _worth(
    inputs: BacktestInputs, market: Market, spec: Spec, qty_units: int, last: int, rate_ppm: int
) -> tuple[int, int]:
    """(value, fee of selling) at the last close: marked, or sold with costs as the model says."""
    series = market.whole(spec.symbol)
    assert series is not None
    if inputs.model.at_end != CLOSE:
        return value_of_base_down(spec, series.close[last], qty_units), 0
    lots = qty_units // spec.base_per_lot
    volume = market.volume_lots(series, last)
    met = Met(series.close[last], market.spread_ppm(series, last), -1, volume)
    price, lots = fill_taker(Side.SELL, 0, lots, met, inputs.model.slippage)
    value = notional_down(spec, price, lots) if lots else 0
    fee = fee_up(value, rate_ppm)
    dust = qty_units - lots * spec.base_per_lot
    return value - fee + value_of_base_down(spec, series.close[last], dust), fee


def _curve(
    inputs: BacktestInputs,
    market: Market,
    state: State,
    held: Sequence[Held],
    curve_ms: Sequence[int],
) -> array[int]:
    """Equity at each instant, holdings at their newest close; the last as at the end."""
    curve = array("q", [state.cash_units]) * len(curve_ms)
    for one in held:
        if one.bought_ms >= 0:
            _add_held(curve, curve_ms, one, market, state.spec(one.symbol))
    if len(curve) and inputs.model.at_end == CLOSE:
        curve[-1] = state.cash_units + sum(one.value_units - one.paid_units for one in held)
    return curve


def _add_held(
    curve: array[int], curve_ms: Sequence[int], one: Held, market: Market, spec: Spec
) -> None:
    """What one instrument adds to equity from when it was bought."""
    series = market.whole(one.symbol)
    assert series is not None
    row, marked, worth = 0, 0, 0
    for at, close_ms in enumerate(curve_ms):
        while row < len(series) and series.open_ms[row] + market.step_ms <= close_ms:
            row += 1
        if close_ms < one.bought_ms or not row:
            continue
        if row != marked:
            worth, marked = value_of_base_down(spec, series.close[row - 1], one.qty_units), row
        curve[at] += worth - one.paid_units

"""A ledger of its own: what a run's fills mean for cash, coins and fees, in fractions.

Lives here: the laws, recomputed from prices, quantities, bars and the model alone, by none of the
core's arithmetic. Must not live here: running.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, isqrt
from typing import Any

from trader.app.backtest_inputs import BacktestInputs
from trader.core.closing import CLOSE_LEG
from trader.core.series import Series
from trader.domain.instrument import Instrument
from trader.domain.timeframe import DAY_MS, timeframe_name

PPM = 1_000_000
COIN = Fraction(1, 10**8)


class Broken(AssertionError):
    """A law does not hold."""


class Ledger:
    """Cash, coins and fees of one account, by strategy and instrument."""

    def __init__(self, inputs: BacktestInputs) -> None:
        self.inputs = inputs
        self.model = inputs.model
        self.unit = Fraction(1, 10**inputs.cash_digits)
        self.known: dict[str, Instrument] = {one.symbol: one for one in inputs.instruments}
        self.step_ms = inputs.parameters.step_ms
        self.cash = Fraction(inputs.cash)
        self.coins: dict[tuple[str, str], Fraction] = {}
        self.fees = Fraction(0)
        self.orders: dict[str, Mapping[str, Any]] = {}
        self.traded: dict[tuple[str, str, int], int] = {}
        self.recent: deque[tuple[int, Fraction]] = deque()
        self.fills = self.resting = self.closed = self.parts = 0
        self.closed_last = False

    def see(self, kind: str, fact: Mapping[str, Any]) -> None:
        """Take a fact; raises Broken."""
        rows = fact["legs"] if kind == "plan" else [fact] if kind == "order_planned" else []
        for row in rows:
            self.orders[row["client_id"]] = row
        if kind == "fill":
            self._fill(fact, self.orders[fact["client_id"]])

    def equity(self, closes: Mapping[str, int]) -> Fraction:
        """Cash and positions at these closes (ticks); what has none yet is not held."""
        held: dict[str, Fraction] = {}
        for (_, symbol), coins in self.coins.items():
            held[symbol] = held.get(symbol, Fraction(0)) + coins
        worth = (
            coins * closes[symbol] * Fraction(self.known[symbol].tick)
            for symbol, coins in held.items()
            if coins
        )
        return self.cash + sum(worth, Fraction(0))

    # --- one fill ----------------------------------------------------------------------------

    def _fill(self, fact: Mapping[str, Any], order: Mapping[str, Any]) -> None:
        one = self.known[str(fact["symbol"])]
        lots, ticks = int(fact["qty_lots"]), int(fact["price_ticks"])
        coins = lots * Fraction(one.lot)
        value = coins * ticks * Fraction(one.tick)
        buy = fact["side"] == "buy"
        at_ms, maker = int(fact["at_ms"]), bool(fact["maker"])
        if lots <= 0 or ticks <= 0:
            raise Broken(f"a fill of {lots} lots at {ticks}")
        self._price(one, order, fact)
        rate = self._rate(one, at_ms, maker=maker)
        in_base = buy and self.model.fee_in_base and self.model.fees.coin is None
        if in_base:
            taken = _ceil(coins * rate, Fraction(one.lot) / _base_per_lot(one))
            self._same("fee in coins", taken, fact["fee_base_units"] * _base_unit(one))
            coins, fee = coins - taken, Fraction(0)
        else:
            fee = _ceil(value * rate, self.unit)
        self._same("fee", fee, int(fact["fee_cash_units"]) * self.unit)
        if self.model.fees.coin is not None and Fraction(str(fact["fee"] or 0)) % COIN:
            raise Broken(f"a fee of {fact['fee']} of the third coin")
        self.fees += fee
        self.cash += (-value if buy else value) - fee
        key = (str(order["strategy"]), one.symbol)
        self.coins[key] = self.coins.get(key, Fraction(0)) + (coins if buy else -coins)
        if self.coins[key] < 0:
            raise Broken(f"{key}: more sold than held, by {-self.coins[key]}")
        self.recent.append((at_ms, value))
        self.fills += 1

    def _rate(self, one: Instrument, at_ms: int, *, maker: bool) -> Fraction:
        tiers = self.model.fees.tiers
        if not tiers:
            return Fraction(one.fee_maker if maker else one.fee_taker)
        while self.recent and self.recent[0][0] <= at_ms - 30 * DAY_MS:
            self.recent.popleft()
        turnover = sum((value for _, value in self.recent), Fraction(0))
        reached = [tier for tier in tiers if turnover >= tier.turnover_units * self.unit]
        rate = reached[-1].maker_ppm if maker else reached[-1].taker_ppm
        return Fraction(rate, PPM)

    def _same(self, what: str, ours: Fraction, told: Fraction) -> None:
        if ours != told:
            raise Broken(f"{what} is {told}, not {ours}")

    # --- its price ---------------------------------------------------------------------------

    def _price(self, one: Instrument, order: Mapping[str, Any], fact: Mapping[str, Any]) -> None:
        """Before costs it lies inside its bar, and its costs are those of the model."""
        ticks, at_ms, lots = int(fact["price_ticks"]), int(fact["at_ms"]), int(fact["qty_lots"])
        whole = self.inputs.series[one.symbol, timeframe_name(self.step_ms)]
        closing = order["leg"] == CLOSE_LEG
        self.closed_last = order["reason"] == "end_of_data"
        if closing:
            self.closed += 1
            bar = max(i for i, opened in enumerate(whole.open_ms) if opened < at_ms)
            self._taken(whole, bar, whole.close[bar], bar, fact)
            return
        if order["tif"] != "gtc":
            late = self.model.latency_bars > 0
            bar = _row(whole, at_ms if late else at_ms - self.step_ms)
            base = whole.open[bar] if late else whole.close[bar]
            self._taken(whole, bar, base, bar - 1 if late else bar, fact)
            limit = int(order["price_ticks"])
            if ticks > limit if fact["side"] == "buy" else ticks < limit:
                raise Broken(f"filled at {ticks}, beyond the limit of {limit}")
            self._counted(whole, bar, lots, resting=False)
            return
        self.resting += 1
        finer, row, bar = self._bar_of(one.symbol, whole, at_ms)
        low, high = finer.low[row], finer.high[row]
        stop = order["order_type"] == "stop_limit"
        if stop and ticks < low:
            # Its costs: at the trigger, or at the open that is beyond it.
            base = min(int(order["trigger_ticks"]), finer.open[row])
            self._taken(finer, row, base, bar - 1, fact, spread_of=whole)
        elif not low <= ticks <= high:
            base = min(int(order["trigger_ticks"]), finer.open[row]) if stop else -1
            if not stop or not low <= base <= high:
                raise Broken(f"{order['order_type']} filled at {ticks} outside {low}..{high}")
        limit = int(order["price_ticks"])
        if ticks > limit if fact["side"] == "buy" else ticks < limit:
            raise Broken(f"at rest at {limit}, filled at {ticks}")
        self._counted(whole, bar, lots, resting=True)

    def _bar_of(self, symbol: str, whole: Series, at_ms: int) -> tuple[Series, int, int]:
        """The bar that told of a fill at rest: a finer one where the long bar has some."""
        opened = (at_ms - 1) // self.step_ms * self.step_ms
        opened = (
            max(o for o in whole.open_ms if o < at_ms) if opened not in whole.open_ms else opened
        )
        bar = _row(whole, opened)
        detail = self.inputs.series.get((symbol, self.model.detail)) if self.model.detail else None
        if detail is not None:
            inside = [
                row for row, at in enumerate(detail.open_ms) if opened <= at < opened + self.step_ms
            ]
            if inside:
                return detail, _row(detail, at_ms - detail.step_ms), bar
        if at_ms != opened + self.step_ms:
            raise Broken(f"filled at {at_ms}, when no bar ended")
        return whole, bar, bar

    def _taken(
        self,
        series: Series,
        row: int,
        base: int,
        before: int,
        fact: Mapping[str, Any],
        spread_of: Series | None = None,
    ) -> None:
        """A taker's price: the bar's, and the model's costs on it, rounded against us."""
        if not series.low[row] <= base <= series.high[row]:
            raise Broken(f"met at {base}, outside {series.low[row]}..{series.high[row]}")
        one = self.known[series.symbol]
        spread = self._spread(spread_of or series, before)
        away = Fraction((spread + 1) // 2) + self._slippage(series, row, one, spread, fact)
        away = min(away, Fraction(PPM - 1))
        if fact["side"] == "buy":
            due = ceil(base * (PPM + away) / PPM)
        else:
            due = max(1, floor(base * (PPM - away) / PPM))
        if due != int(fact["price_ticks"]):
            raise Broken(f"{fact['side']} from {base} costs {due}, not {fact['price_ticks']}")

    def _spread(self, series: Series, before: int) -> int:
        share = self.model.spread_range_ppm
        if not share or before < 0:
            return self.model.spread_ppm
        range_ = Fraction(series.high[before] - series.low[before], series.close[before])
        return min(PPM // 2, max(self.model.spread_ppm, ceil(range_ * share)))

    def _slippage(
        self, series: Series, row: int, one: Instrument, spread: int, fact: Mapping[str, Any]
    ) -> Fraction:
        parts, lots = self.model.slippage, int(fact["qty_lots"])
        away = parts.fixed_ppm + ceil(Fraction(spread * parts.of_spread_ppm, PPM))
        if parts.impact_ppm:
            volume = _lots(series, row, one) or lots
            share = Fraction(lots, volume)
            if parts.linear:
                away += ceil(parts.impact_ppm * share)
            else:
                square = ceil(parts.impact_ppm * parts.impact_ppm * share)
                away += isqrt(square - 1) + 1
        return Fraction(min(away, PPM // 2))

    # --- its volume --------------------------------------------------------------------------

    def _counted(self, whole: Series, bar: int, lots: int, *, resting: bool) -> None:
        """Never more than the share of what traded; nothing where nothing did."""
        one, volume = self.known[whole.symbol], _volume(whole, bar)
        share = self.model.volume.share_ppm
        silent = not any(whole.volume)
        if not share and silent:
            return
        if not share and not resting:
            if volume == 0 and not self.model.zero_volume_fills:
                raise Broken(f"{whole.symbol}: filled in a bar without volume")
            return
        key = (whole.symbol, "all" if share else "rest", whole.open_ms[bar])
        self.traded[key] = self.traded.get(key, 0) + lots
        most = volume * Fraction(share or PPM, PPM) / Fraction(one.lot)
        self.parts += self.traded[key] == floor(most)
        if self.traded[key] > most:
            raise Broken(f"{whole.symbol}: {self.traded[key]} lots of {float(most)} that may fill")


def _row(series: Series, open_ms: int) -> int:
    row = series.index_of(open_ms)
    if row == len(series) or series.open_ms[row] != open_ms:
        raise Broken(f"{series.symbol}: filled where no bar is, at {open_ms}")
    return row


def _volume(series: Series, row: int) -> Fraction:
    return Fraction(Decimal(repr(series.volume[row])))


def _lots(series: Series, row: int, one: Instrument) -> int:
    return floor(_volume(series, row) / Fraction(one.lot))


def _ceil(amount: Fraction, unit: Fraction) -> Fraction:
    return ceil(amount / unit) * unit


def _base_unit(one: Instrument) -> Fraction:
    digits = max(8, -int(one.lot.normalize().as_tuple().exponent))
    return Fraction(1, 10**digits)


def _base_per_lot(one: Instrument) -> Fraction:
    return Fraction(one.lot) / _base_unit(one)

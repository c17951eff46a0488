"""Gates broken on purpose, each in one place of the core's sources: what the worlds must notice.

Lives here: the mistakes as data. Must not live here: how they are put into a running core
(`worlds_hunt`), and what notices them (`worlds_oracle`).
"""

from __future__ import annotations

from typing import NamedTuple


class Broken(NamedTuple):
    """One mistake: `old`, which stands once in the core (in `module`, where one is named), becomes
    `new`. `rare`: it takes hundreds of worlds to show; the quick form leaves it out."""

    name: str
    module: str
    old: str
    new: str
    rare: bool = False


BROKEN: tuple[Broken, ...] = (
    Broken(
        "one position too many",
        "",
        "return view.positions + 1 <= limit, limit, view.positions + 1",
        "return view.positions <= limit, limit, view.positions",
    ),
    Broken(
        "one trade too many within the hour",
        "",
        "return sums.trades_hour <= sums.trades_hour_max,",
        "return sums.trades_hour - 1 <= sums.trades_hour_max,",
    ),
    Broken(
        "half an hour for an hour",
        "",
        "HOUR_MS = 3_600_000",
        "HOUR_MS = 1_800_000",
        rare=True,
    ),
    Broken(
        "a day of 23 hours",
        "totals",
        "DAY_MS = 86_400_000",
        "DAY_MS = 82_800_000",
        rare=True,
    ),
    Broken(
        "a leg of the same plan is forgotten",
        "",
        "            self._totals.add(leg.proposal)\n",
        "            pass\n",
    ),
    Broken(
        "entries in flight are forgotten in the sums",
        "",
        "            yield order.strategy, order.symbol, entry_cost_units(spec, price, rest), loss",
        "            del rest, loss",
    ),
    Broken(
        "dust is worth nothing",
        "",
        "            self._count(strategy, symbol, value, value, dust=True)",
        "            self._count(strategy, symbol, 0, 0, dust=True)",
        rare=True,
    ),
    Broken(
        "cash compared the wrong way round",
        "",
        "    return 0 < view.cost_units <= view.cash_units,",
        "    return 0 < view.cash_units <= view.cost_units,",
    ),
    Broken(
        "the cap is measured without what is held",
        "",
        "    after = view.exposure_units + view.notional_units\n",
        "    after = view.notional_units\n",
        rare=True,
    ),
    Broken(
        "exposure compared the wrong way round",
        "",
        "return sums.all_exposure_units <= limit, limit, sums.all_exposure_units",
        "return sums.all_exposure_units >= limit, limit, sums.all_exposure_units",
    ),
    Broken(
        "a budget of the whole account",
        "",
        "share_down(equity, strategy.budget_exposure_ppm)",
        "share_down(equity, limits.exposure_ppm_max)",
    ),
    Broken(
        "an exit fee that is earned",
        "",
        "    return max(0, cost_units - received + fee_up(received, spec.fee_taker_ppm))",
        "    return max(0, cost_units - received - fee_up(received, spec.fee_taker_ppm))",
    ),
    Broken(
        "a stop that sells without slippage",
        "",
        "    received = notional_down(spec, price_down(stop_ticks, slippage_ppm), qty_lots)",
        "    received = notional_down(spec, stop_ticks, qty_lots)",
    ),
    Broken(
        "cost without its fee",
        "",
        "    return value + fee_up(value, spec.fee_taker_ppm)",
        "    return value",
    ),
    Broken(
        "a day's stop at twice its limit",
        "marks",
        'limit_units(marks["day_units"], limits.day_stop_ppm)',
        'limit_units(marks["day_units"], 2 * limits.day_stop_ppm)',
        rare=True,
    ),
    Broken(
        "the draw-down is measured from the day's start",
        "",
        '    marks["high_units"] = max(marks["high_units"], equity_units)',
        '    marks["high_units"] = marks["day_units"]',
        rare=True,
    ),
    Broken(
        "a deposit is a gain of the day",
        "",
        '        moved += ["equity_units", "day_units"]',
        '        moved += ["equity_units"]',
        rare=True,
    ),
    Broken(
        "a withdrawal is a loss of the last days",
        "",
        "        base += sum(row.flow_units for row in rows)\n",
        "",
        rare=True,
    ),
    Broken(
        "a book that fell too far is forgiven the next minute",
        "",
        "        return name in self.stopped or (book is not None and book.stopped == 1)",
        "        return name in self.stopped",
        rare=True,
    ),
    Broken(
        "entries in flight are not unattended ones",
        "",
        "        return filled + self._may_fill().get(name, 0)",
        "        return filled",
        rare=True,
    ),
    Broken(
        "the owner is not looked at",
        "",
        "    return view.owner_other == 0, 0, view.owner_other",
        "    return view.owner_other >= 0, 0, view.owner_other",
        rare=True,
    ),
    Broken(
        "a second entry while the first one works",
        "",
        "    return view.working_entries == 0, 0, view.working_entries",
        "    return view.working_entries <= 1, 0, view.working_entries",
    ),
    Broken(
        "a collar of the wrong side",
        "",
        "    if view.price_ticks > up:\n",
        "    if view.price_ticks > up > 2 * view.close_ticks:\n",
    ),
    Broken(
        "old quotes by the wrong sign",
        "",
        "    return -limit <= view.quote_age_ms <= limit, limit, view.quote_age_ms",
        "    return view.quote_age_ms <= limit and limit > 0, limit, view.quote_age_ms",
    ),
    Broken(
        "entries while the account takes none",
        "",
        "    limit = 0 if view.is_entry else 2\n",
        "    limit = 1 if view.is_entry else 2\n",
    ),
    Broken(
        "a gate of new risk stops exits",
        "",
        '    Gate("BOOKS_MISMATCH", False,',
        '    Gate("BOOKS_MISMATCH", True,',
    ),
    Broken(
        "a tier holds any number of positions",
        "",
        "    return sums.positions <= sums.positions_max, sums.positions_max, sums.positions",
        "    return sums.positions > 0, sums.positions_max, sums.positions",
    ),
    Broken(
        "a stop that follows an addition down",
        "",
        "    position.stop_ticks = max(position.stop_ticks, order.stop_ticks)\n",
        "    position.stop_ticks = order.stop_ticks\n",
        rare=True,
    ),
    Broken(
        "a lock nobody approved",
        "",
        "    found = ((name, str(getattr(running, name))) for name in HASHES)",
        '    found = ((name, str(getattr(running, name))) for name in HASHES if name != "lock")',
    ),
    Broken(
        "a clock that may be behind",
        "",
        "    return abs(sums.skew_ms) <= sums.skew_ms_max,",
        "    return sums.skew_ms <= sums.skew_ms_max,",
    ),
    Broken(
        "a try does not begin the rest anew",
        "",
        '    since_ms = max(state.number("venue_fault_ms"), state.number("venue_try_ms"))',
        '    since_ms = state.number("venue_fault_ms")',
        rare=True,
    ),
    Broken(
        "sides are looked up among order types",
        "",
        '("side", str(side) in rules.sides)',
        '("side", str(side) in rules.order_types)',
    ),
    Broken(
        "local time by the swapped sign",
        "",
        "    return at_ms + zone.offsets_ms[segment(zone, at_ms)]",
        "    return at_ms - zone.offsets_ms[segment(zone, at_ms)]",
    ),
    Broken(
        "half a spread",
        "",
        "    measured = mul_div_up(sums.ask_ticks - sums.bid_ticks, 2 * MILLION, both)",
        "    measured = mul_div_up(sums.ask_ticks - sums.bid_ticks, MILLION, both)",
        rare=True,
    ),
    Broken(
        "a window one bar too short",
        "",
        "        then = newest - self._desk.limits.collar_window_bars * step_ms",
        "        then = newest - (self._desk.limits.collar_window_bars - 1) * step_ms",
    ),
    Broken(
        "an own sell just below the price",
        "",
        "        sums.is_buy == 0 or sums.price_ticks < sums.own_sell_ticks,",
        "        sums.is_buy == 0 or sums.price_ticks < 2 * sums.own_sell_ticks,",
        rare=True,
    ),
    Broken(
        "the shorter of two cooldowns",
        "",
        "max(limits.exit_ms, limits.exit_bars * timeframe_ms)",
        "min(limits.exit_ms, limits.exit_bars * timeframe_ms)",
        rare=True,
    ),
    Broken(
        "the reserve of messages is spent on entries",
        "",
        "bound - share_up(bound, limits.reserve_ppm)",
        "bound",
    ),
    Broken(
        "this plan's messages are not counted",
        "",
        "found.counted + risks.planned + messages_of(proposal)",
        "found.counted + messages_of(proposal)",
        rare=True,
    ),
    Broken(
        "pending is this entry alone",
        "",
        "    sums.pending_units = totals.pending_units + cost\n",
        "    sums.pending_units = cost\n",
        rare=True,
    ),
    Broken(
        "a coin counts from this entry on",
        "",
        "    sums.asset_units = totals.of_coin(spec.base).exposure_units + cost\n",
        "    sums.asset_units = cost\n",
        rare=True,
    ),
    Broken(
        "what moves together, without the entry",
        "",
        "        sums.correlated_units = totals.exposure_of(with_it) + cost\n",
        "        sums.correlated_units = totals.exposure_of(with_it)\n",
    ),
    Broken(
        "a quantile one day too mild",
        "",
        "    return max(1, days - max(1, within) + 1)",
        "    return max(1, days - max(1, within) + 2)",
    ),
    Broken(
        "a day nobody knows is a day without loss",
        "",
        "[worst if value == ABSENT else value for value in told]",
        "[0 if value == ABSENT else value for value in told]",
    ),
    Broken(
        "capital compared the wrong way round",
        "",
        "    return sums.used_units <= sums.capital_units,",
        "    return sums.used_units >= sums.capital_units,",
    ),
    Broken(
        "the owner's currency at the ask",
        "",
        "        worth = Decimal(home.order_value_max) * spec.price(quote.bid_ticks)",
        "        worth = Decimal(home.order_value_max) * spec.price(quote.ask_ticks)",
        rare=True,
    ),
    Broken(
        "an order twice as large as allowed",
        "",
        "    return sums.value_units <= sums.value_units_max,",
        "    return sums.value_units // 2 <= sums.value_units_max,",
    ),
    Broken(
        "a quantity of the wrong instrument's limit",
        "",
        "limits.order_qty_max_of.get(symbol, limits.order_qty_max)",
        "limits.order_qty_max_of.get(spec.base, limits.order_qty_max)",
    ),
    Broken(
        "the depth of the other side",
        "",
        "        if quote.ask_lots >= 0:\n"
        "            sums.depth_lots_max = share_down(quote.ask_lots,",
        "        if quote.ask_lots >= 0:\n"
        "            sums.depth_lots_max = share_down(quote.bid_lots,",
        rare=True,
    ),
    Broken(
        "volume of one bar more",
        "",
        "        first = series.index_of(newest - (limits.volume_bars - 1) * step_ms)",
        "        first = series.index_of(newest - limits.volume_bars * step_ms)",
    ),
    Broken(
        "orders of unknown outcome are forgotten",
        "account_view",
        "    return order.working or order.state is OrderState.PLANNED",
        "    return (order.working and not order.unresolved) or order.state is OrderState.PLANNED",
    ),
    Broken(
        "children take nothing from their parent",
        "",
        "            rest -= taken_lots(order)\n",
        "            rest -= 0\n",
    ),
    Broken(
        "what can be sold is dust",
        "",
        "and not can_sell(spec, lots, look.bid_ticks):",
        "and can_sell(spec, lots, look.bid_ticks):",
    ),
)

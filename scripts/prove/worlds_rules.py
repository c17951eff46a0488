"""What must hold of an order when it is approved: a rule for every code of the core's gates.

Lives here: the table, and the rules of halts, data, prices, ownership and time. Those of one order
are in `worlds_rules_order`, those of sums in `worlds_rules_sums`. Each is written from the words of
its limit, in Decimal; none of the core's sums or gates is asked. Must not live here: what is done
with the answer (`worlds_oracle`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from worlds_ledger import ZERO
from worlds_moment import DAY_MS, HOUR_MS, MILLION, NEVER, Found, Leg, Moment, wall
from worlds_rules_order import ORDER_RULES
from worlds_rules_sums import SUM_RULES

from trader.core.limits import Weekly

Rule = Callable[[Moment, Leg], Found | None]
WEEK_MIN = 10_080
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone


def count(measured: int, limit: int) -> Found:
    """Whole numbers."""
    return Found(Decimal(measured), Decimal(limit))


def _halt(m: Moment, leg: Leg) -> Found:
    return count(m.halt_rank, 0 if leg.buy else 2)


def _off(m: Moment, leg: Leg) -> Found:
    return count(int(not m.spec(leg.strategy).enabled), 0)


def _shadow(m: Moment, leg: Leg) -> Found:
    return count(int(m.spec(leg.strategy).shadow or leg.strategy in m.watching), 0)


def _approved(m: Moment, _: Leg) -> Found:
    given, wanted = m.ledger.approved, m.limits.approval
    if wanted == "given" and not given:
        return count(0, 0)
    now = {name: getattr(m.running, name) for name in ("code", "policy", "lock")}
    return count(sum(1 for name, sha in now.items() if not sha or given.get(name) != sha), 0)


def _skew(m: Moment, _: Leg) -> Found:
    return count(abs(m.skew_ms), m.limits.clock_skew_ms_max)


def _degraded(m: Moment, _: Leg) -> Found:
    """After faults in a row a rest, then one try; a try begins the rest anew."""
    breaker, ledger = m.limits.breaker, m.ledger
    if not 0 < breaker.faults_max <= ledger.faults:
        return count(0, 0)
    rested_ms = max(ledger.fault_ms, ledger.try_ms) + breaker.rest_ms
    tried = any(g.buy for g in m.legs)
    return count(max(0, rested_ms - m.now_ms, int(tried)), 0)


def _jump(m: Moment, leg: Leg) -> Found:
    close, before = m.close(leg)
    if close <= 0 or before <= 0:
        return Found(NEVER, ZERO)
    return Found(abs(close - before) / before * MILLION, Decimal(m.limits.bar_jump_ppm_max))


def _repainted(m: Moment, leg: Leg) -> Found:
    return count(m.repaints.get(leg.symbol, 0), m.limits.repaint_ppm_max)


def _quote_there(m: Moment, leg: Leg) -> Found:
    return count(-min(m.quote(leg).bid_ticks, m.quote(leg).ask_ticks), -1)


def _uncrossed(m: Moment, leg: Leg) -> Found:
    return count(m.quote(leg).bid_ticks, m.quote(leg).ask_ticks)


def _fresh(m: Moment, leg: Leg) -> Found:
    return count(abs(m.now_ms - m.quote(leg).at_ms), m.limits.quote_age_ms_max)


# --- time ----------------------------------------------------------------------------------------


def _session(m: Moment, _: Leg) -> Found:
    calendar = m.limits.calendar
    if not calendar.sessions:
        return count(0, 0)
    return count(int(not any(_in_week(w, m, calendar.zone.name) for w in calendar.sessions)), 0)


def _blackout(m: Moment, _: Leg) -> Found:
    calendar = m.limits.calendar
    zone = calendar.zone.name
    closed = any(_in_week(window, m, zone) for window in calendar.weekly)
    shown_ms = int((wall(zone, m.now_ms) - EPOCH).total_seconds() * 1000)
    closed |= any(window.start_ms <= shown_ms < window.end_ms for window in calendar.dated)
    return count(int(closed), 0)


def _in_week(window: Weekly, m: Moment, zone: str) -> bool:
    shown = wall(zone, m.now_ms)
    seconds = shown.weekday() * 86_400 + shown.hour * 3_600 + shown.minute * 60 + shown.second
    first, last = window.start_min * 60, window.end_min * 60
    return first <= seconds < last or seconds + WEEK_MIN * 60 < last


def _cooldown(m: Moment, leg: Leg) -> Found:
    waits = m.limits.cooldowns
    frame_ms = m.spec(leg.strategy).timeframe_ms
    since = m.ledger.waits.get((leg.strategy, leg.symbol), {})
    lengths = {
        "exit": max(waits.exit_ms, waits.exit_bars * frame_ms),
        "stop": waits.stop_ms,
        "unfilled": waits.unfilled_ms,
    }
    until = [since[name] + length for name, length in lengths.items() if name in since and length]
    return count(max(0, max(until, default=0) - m.close_ms), 0)


# --- who else is there ---------------------------------------------------------------------------


def _owner(m: Moment, leg: Leg) -> Found:
    others = set(m.ledger.holders(leg.symbol))
    others |= {o.strategy for o in m.on(leg)}
    others |= {g.strategy for g in m.legs if g.symbol == leg.symbol}
    return count(len(others - {leg.strategy}), 0)


def _duplicate(m: Moment, leg: Leg) -> Found:
    known = leg.client_id in m.ledger.orders and leg.client_id != leg.again
    return count(int(known), 0)


def _unknown(m: Moment, leg: Leg) -> Found:
    return count(sum(1 for o in m.on(leg) if o.state == "sent"), 0)


def _working(m: Moment, leg: Leg) -> Found:
    mine = sum(1 for o in m.on(leg) if o.buy)
    return count(mine + sum(1 for g in m.legs if g.symbol == leg.symbol and g.buy), 0)


def _already(m: Moment, leg: Leg) -> Found | None:
    leaving = any(not o.buy and not o.is_stop for o in m.on(leg))
    leaving |= any(not g.buy for g in m.legs if g.symbol == leg.symbol)
    if m.limits.pyramiding and m.spec(leg.strategy).pyramiding and not leaving:
        return count(0, 0)
    if leg.again:  # what the order itself has bought so far does not count against it
        return None
    return count(len(m.ledger.holders(leg.symbol)), 0)


# --- how often -----------------------------------------------------------------------------------


def _trades_hour(m: Moment, leg: Leg) -> Found:
    return count(m.entries_since(m.now_ms - HOUR_MS, leg) + 1, m.limits.trades_hour_max)


def _trades_day(m: Moment, leg: Leg) -> Found:
    return count(m.entries_since(m.now_ms - DAY_MS, leg) + 1, m.limits.trades_day_max)


def _budget_trades(m: Moment, leg: Leg) -> Found:
    sent = m.entries_since(m.now_ms - DAY_MS, leg, leg.strategy) + 1
    return count(sent, m.spec(leg.strategy).budget_trades_day_max)


def _unattended(m: Moment, leg: Leg) -> Found:
    ledger = m.ledger
    filled = ledger.filled_entries.get(leg.strategy, 0) - ledger.attended.get(leg.strategy, 0)
    filled += sum(1 for o in m.buys(leg) if o.strategy == leg.strategy and not o.filled)
    filled += sum(1 for g in m.legs if g.buy and g.strategy == leg.strategy)
    # One that goes on is one entry, whatever it has filled so far.
    filled -= sum(1 for o in ledger.leg_of(leg.again) if o.filled)
    return count(filled + 1, m.limits.unattended_max)


def _messages(m: Moment, leg: Leg) -> Found:
    """The window that leaves least room; exits and cancels are counted and never held back."""
    limits = m.limits.messages
    windows = ((limits.second_max, 1_000), (limits.minute_max, 60_000), (limits.day_max, DAY_MS))
    planned = sum(g.messages for g in m.legs) + leg.messages
    found = [count(0, 10**9)]
    if leg.again and leg.client_id == leg.again:
        return found[0]  # it is at rest already: nothing is sent
    for most, window_ms in windows:
        if most < 10**9:
            kept = -(-most * limits.reserve_ppm // 1_000_000)
            sent = sum(1 for at in m.ledger.messages if at > m.now_ms - window_ms)
            found.append(count(sent + planned, most - kept))
    return max(found, key=lambda one: one.measured - one.limit)


# By code; in `SANITY` are those that may stop an exit.
RULES: dict[str, Rule] = {
    "HALT_LEVEL": _halt,
    "HASH_UNAPPROVED": _approved,
    "CLOCK_SKEW": _skew,
    "VENUE_DEGRADED": _degraded,
    "STRATEGY_OFF": _off,
    "STRATEGY_SHADOW": _shadow,
    "BOOKS_MISMATCH": lambda m, _: count(m.mismatches, 0),
    "INSTRUMENT_INACTIVE": lambda m, leg: count(int(not m.ledger.rules[leg.symbol].active), 0),
    "SESSION_CLOSED": _session,
    "BLACKOUT": _blackout,
    "DATA_JUMP": _jump,
    "DATA_REPAINTED": _repainted,
    "QUOTE_MISSING": _quote_there,
    "QUOTE_CROSSED": _uncrossed,
    "QUOTE_OLD": _fresh,
    "OWNED_BY_OTHER": _owner,
    "DUPLICATE_INTENT": _duplicate,
    "OUTCOME_UNKNOWN": _unknown,
    "ORDER_WORKING": _working,
    "ALREADY_HELD": _already,
    "COOLDOWN": _cooldown,
    "TRADES_HOUR": _trades_hour,
    "TRADES_DAY": _trades_day,
    "BUDGET_TRADES_DAY": _budget_trades,
    "UNATTENDED": _unattended,
    "MESSAGES": _messages,
    **ORDER_RULES,
    **SUM_RULES,
}
SANITY = (
    "HALT_LEVEL",
    "INSTRUMENT_INACTIVE",
    "QUOTE_MISSING",
    "QUOTE_CROSSED",
    "QUOTE_OLD",
    "SLIPPAGE_CAP",
    "SHORT",
    "QTY_MIN",
    "QTY_MAX",
    "NOTIONAL_MIN",
)

"""Accounts in which one gate of `risk_gates` alone refuses an entry, and made daily bars.

Lives here: for the tests of plans and of these gates. BTC and ETH cost 10,000 ticks of 0.01, an
account has 1,000 USDT, and the one strategy wants 998 lots of BTC for 99.90 at 100.10 and its fee.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trader.core.fold import fold
from trader.core.identity import client_order_id
from trader.core.limits import Breaker, Correlated, Messages, ValueAtRisk
from trader.core.plan import Plan, plan
from trader.core.series import Series, build_series
from trader.core.snapshot import Running, Snapshot
from trader.core.state import State

from .made import (
    BAR_MS,
    BTC,
    ETH,
    MINUTE_MS,
    NOW_MS,
    TICK,
    account,
    bars,
    hold,
    order_row,
    parameters,
    sent,
    snapshot,
)

DAY_MS = 86_400_000
LAST_DAY_MS = (BAR_MS + MINUTE_MS) // DAY_MS * DAY_MS - DAY_MS
COST = 9_989_980_000 + 9_989_980  # 998 lots x 10,010 ticks x 1,000, and 0.1 % of it
RUNNING = Running("policy-1", "code-1", "lock-1")


def days(closes: Sequence[int], symbol: str = BTC, last_ms: int = LAST_DAY_MS) -> Series:
    """Daily bars with these closes in ticks, the last of them opening at `last_ms`."""
    first_ms = last_ms - (len(closes) - 1) * DAY_MS
    rows = [(first_ms + i * DAY_MS, c, c, c, c, 1.0) for i, c in enumerate(closes)]
    return build_series(symbol, DAY_MS, TICK, rows)


def approved(state: State, **changed: str) -> State:
    """The state once a named human has approved RUNNING, but for what is changed."""
    hashes = {"policy": "policy-1", "code": "code-1", "lock": "lock-1", **changed}
    fold(state, "approval", {**hashes, "by": "ann", "why": "released", "at_ms": 1})
    return state


def faulty(faults: int, at_ms: int = NOW_MS - 1_000, why: str = "reads: no answer") -> State:
    """An account whose venue failed so often in a row, the last time then."""
    state = account()
    for number in reversed(range(faults)):
        fold(state, "venue_fault", {"at_ms": at_ms - number, "why": why})
    return state


def ended(client_id: str = "e" * 32, at_ms: int = BAR_MS, **row: Any) -> State:
    """An account that has sent one entry, of ETH, that expired unfilled."""
    state = account()
    return end_one(state, client_id, at_ms, **row)


def end_one(state: State, client_id: str, at_ms: int, **row: Any) -> State:
    """The state once one more entry was sent and has expired unfilled."""
    planned = order_row(client_id, **{"symbol": ETH, "qty_lots": 10, "signal_ms": 0, **row})
    fold(state, "order_planned", planned)
    fold(state, "order_sent", {"client_id": client_id, "at_ms": at_ms})
    answer = {"client_id": client_id, "at_ms": at_ms, "venue_id": ""}
    fold(state, "order_outcome", {**answer, "outcome": "accepted", "code": "", "text": ""})
    seen = {"state": "expired", "venue_lots": 0, "source": "order"}
    fold(state, "order_seen", {**answer, **seen})
    return state


def first_id(bar_ms: int = BAR_MS) -> str:
    """The id of the first leg of strategy `one` on BTC at a bar."""
    return client_order_id("abcdef", "main", "one", BTC, bar_ms=bar_ms, leg=0, attempt=0)


def at_rest(price_ticks: int = 9_999, lots: int = 100) -> dict[str, Any]:
    """A maker's entry of BTC that has rested since the bar before, to be sent."""
    bar_ms = BAR_MS - MINUTE_MS
    times = {"bar_ms": bar_ms, "until_ms": NOW_MS + MINUTE_MS}
    maker = {"tif": "gtc", "order_type": "post_only", "price_ticks": price_ticks, "qty_lots": lots}
    return order_row(first_id(bar_ms), **maker, **times)


def held_eth(lots: int = 60, **limits: Any) -> Snapshot:
    """60 lots of ETH (6 USDT) are held, of 1,000."""
    state = account()
    hold(state, ETH, lots=lots, name="two", stop_ticks=9_000)
    return snapshot(state, parameters(**limits))


def fallen() -> Snapshot:
    """900 of 1,000 were paid for ETH, which is worth 90 now: 190 are left of equity."""
    state = account()
    hold(state, ETH, lots=9_000, name="two", stop_ticks=500)
    series = {(BTC, "1m"): bars([10_000, 10_000]), (ETH, "1m"): bars([1_000, 1_000], ETH)}
    return snapshot(state, series=series)


def unanswered() -> Snapshot:
    """Nothing was heard of an entry for 10 of ETH."""
    state = account()
    sent(state, order_row(symbol=ETH, qty_lots=100), outcome="unknown")
    return snapshot(state, parameters(pending_ppm_max=105_000))


RISK_SCENES: dict[str, Callable[[], Snapshot]] = {
    "HASH_UNAPPROVED": lambda: snapshot(approved(account(), code="code-2"), running=RUNNING),
    "VENUE_DEGRADED": lambda: snapshot(faulty(3), parameters(breaker=Breaker(3, 60_000))),
    "DUPLICATE_INTENT": lambda: snapshot(ended(first_id())),
    "MESSAGES": lambda: snapshot(ended(), parameters(messages=Messages(day_max=1))),
    "ASSET_EXPOSURE": lambda: snapshot(account(), parameters(asset_ppm_max=99_000)),
    "PENDING_EXPOSURE": unanswered,
    "CORRELATED_EXPOSURE": lambda: held_eth(correlated=Correlated(exposure_ppm_max=105_000)),
    "VALUE_AT_RISK": lambda: snapshot(account(), parameters(var=ValueAtRisk(limit_ppm=19_000))),
    "CAPITAL": fallen,
}


def said(decided: Plan) -> list[str]:
    """Codes of the refusals."""
    return [no.code for no in decided.refused]


def refusal(decided: Plan) -> str:
    """The only refusal: code and detail."""
    (no,) = decided.refused
    return f"{no.code} {no.detail}"


def numbers(seen: Snapshot, code: str) -> tuple[int, int]:
    """(limit, measured) of one gate for the first proposal of a decision."""
    (row,) = [row for row in plan(seen).trail if len(row.gates)]
    (answer,) = [answer for answer in row.gates if answer.code == code]
    return answer.limit, answer.measured

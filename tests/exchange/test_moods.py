"""Standing faults: what clients are shown may lag, stand still or race; the books never lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trader.exchange.client import AdminError
from trader.exchange.server import RunningExchange

from .conftest import FLAT, MINUTE_MS, START_MS, Customer


@pytest.fixture
def served(bar_file: Callable[..., str], serve: Callable[..., RunningExchange]) -> RunningExchange:
    """An exchange of flat bars."""
    rules = {"BTCUSDT": {"tick": "0.01", "lot": "0.001", "min_notional": "10"}}
    balances = {"USDT": "10000", "BTC": "10"}
    return serve(bar_file([FLAT] * 9), instruments=rules, balances=balances, depth="10")


@pytest.fixture
def who(served: RunningExchange, customer: Callable[..., Customer]) -> Customer:
    """A customer of it."""
    return customer(served)


def _wait(served: RunningExchange, who: Customer, wait_ms: int) -> None:
    served.admin.advance(wait_ms)
    who.now_ms += wait_ms


def test_a_new_order_is_found_only_after_a_while(served: RunningExchange, who: Customer) -> None:
    served.admin.moods(orders_lag_ms=2_000)
    who.limit("BUY", "1", "99", newClientOrderId="new")

    def seen() -> tuple[int, int, int, int]:
        one = {"symbol": "BTCUSDT", "origClientOrderId": "new"}
        return (
            who.signed("GET", "order", **one).json.get("code", 0),
            len(who.signed("GET", "openOrders").json),
            len(who.signed("GET", "allOrders", symbol="BTCUSDT").json),
            who.signed("DELETE", "openOrders", symbol="BTCUSDT", recvWindow=60_000).status,
        )

    assert seen() == (-2013, 0, 0, 400)
    assert len(served.admin.books()["orders"]) == 1
    _wait(served, who, 2_000)
    assert seen() == (0, 1, 1, 200)


def test_executions_and_balances_lag(served: RunningExchange, who: Customer) -> None:
    served.admin.moods(trades_lag_ms=3_000, balance_lag_ms=1_000)
    _wait(served, who, 5_000)
    assert who.balance("BTC")[0] == "10.00000000"
    _wait(served, who, 10)
    assert who.market("SELL", quantity="1").json["status"] == "FILLED"
    seen: list[tuple[str, int]] = []
    for _ in range(4):
        trades = who.signed("GET", "myTrades", symbol="BTCUSDT").json
        seen.append((who.balance("BTC")[0], len(trades)))
        _wait(served, who, 999)
    _wait(served, who, 4)
    seen.append((who.balance("BTC")[0], len(who.signed("GET", "myTrades", symbol="BTCUSDT").json)))
    old, new = "10.00000000", "9.00000000"
    assert seen == [(old, 0), (old, 0), (new, 0), (new, 0), (new, 1)]
    served.admin.moods(balance_lag_ms=0)
    assert who.balance("BTC")[0] == new


def test_what_a_cancel_frees_stays_locked_for_a_while(
    served: RunningExchange, who: Customer
) -> None:
    served.admin.moods(unlock_lag_ms=1_500)
    who.limit("SELL", "10", "120")
    assert len(who.signed("DELETE", "openOrders", symbol="BTCUSDT").json) == 1
    assert who.balance("BTC") == ("0.00000000", "10.00000000")
    assert who.limit("SELL", "1", "120").json["code"] == -2010
    _wait(served, who, 1_500)
    assert who.balance("BTC") == ("10.00000000", "0.00000000")
    assert served.engine.books.lingering == {}


@pytest.mark.parametrize(
    ("fraction", "answer", "executed", "status"),
    [("0.3", 200, "3", "CANCELED"), ("1", 400, "10", "FILLED")],
)
def test_a_cancel_races_with_a_fill(
    served: RunningExchange, who: Customer, fraction: str, answer: int, executed: str, status: str
) -> None:
    served.admin.moods(fill_on_cancel=fraction)
    who.limit("SELL", "10", "120", newClientOrderId="race")
    one = {"symbol": "BTCUSDT", "origClientOrderId": "race"}
    assert who.signed("DELETE", "order", **one).status == answer
    order = served.admin.books()["orders"][0]
    assert (order["executed"], order["status"], order["locked"]) == (executed, status, "0")


def test_candles_may_stand_still_while_the_clock_goes_on(
    served: RunningExchange, who: Customer
) -> None:
    served.admin.moods(candles_frozen_ms=START_MS + MINUTE_MS + 1)

    def last() -> int:
        rows: Any = who.get("klines", symbol="BTCUSDT", interval="1m").json
        return (rows[-1][0] - START_MS) // MINUTE_MS

    assert last() == 1
    _wait(served, who, 3 * MINUTE_MS)
    assert last() == 1
    assert who.get("time").json["serverTime"] == who.now_ms
    assert served.admin.moods(candles_frozen_ms=0)["candles_frozen_ms"] == 0
    assert last() == 5


@pytest.mark.parametrize(
    "changes",
    [{"temper": 1}, {"orders_lag_ms": -1}, {"fill_on_cancel": "2"}, {"fill_on_cancel": "x"}],
)
def test_a_mood_that_cannot_be_is_refused(served: RunningExchange, changes: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match=r"mood|fill_on_cancel"):
        served.admin.moods(**changes)
    assert set(served.admin.moods().values()) == {0, "0"}

"""Every kind of fault does what it says, and is counted when it reached the client."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from trader.exchange.client import AdminError
from trader.exchange.faults import ACTIONS, SENDS, Action, FaultError, FaultTable, edited
from trader.exchange.server import ExchangeConfig, RunningExchange, serve_in_thread
from trader.exchange.wire import Reply, Request

from .conftest import FLAT, Customer

ORDER = {"method": "POST", "path": "/api/v3/order"}
GONE = (http.client.RemoteDisconnected, ConnectionResetError, http.client.IncompleteRead)


@pytest.fixture
def served(bar_file: Callable[..., str], serve: Callable[..., RunningExchange]) -> RunningExchange:
    """An exchange of flat bars."""
    return serve(bar_file([FLAT] * 5))


@pytest.fixture
def who(served: RunningExchange, customer: Callable[..., Customer]) -> Customer:
    """A customer of it."""
    return customer(served)


def _counts(served: RunningExchange) -> list[tuple[int, int, int]]:
    return [(x["matched"], x["injected"], x["observed"]) for x in served.admin.faults()]


def _wait_until_held(served: RunningExchange) -> None:
    for _ in range(5_000):
        if served.admin.held():
            return
    raise AssertionError("no reply was ever held")


@pytest.mark.parametrize(
    ("action", "landed"),
    [("drop_before", 0), ("drop_after", 1), ("reset_before", 0), ("reset_after", 1), ("cut", 1)],
)
def test_a_connection_that_breaks_before_or_after_the_order_landed(
    served: RunningExchange, who: Customer, action: str, landed: int
) -> None:
    served.admin.faults([{**ORDER, "action": action}])
    with pytest.raises(GONE):
        who.limit("BUY", "1", "50")
    assert len(served.admin.books()["orders"]) == landed
    assert _counts(served) == [(1, 1, 1)]
    logged = served.admin.requests()["log"][-1]
    assert (logged["served"], logged.get("outcome")) == (bool(landed), 200 if landed else None)


@pytest.mark.parametrize(
    ("action", "status", "body"),
    [
        ("html_502", 502, b"<html>"),
        ("html_504", 504, b"<html>"),
        ("html_403", 403, b"<html>"),
        ("html_200", 200, b"<html>"),
        ("null", 200, b"null"),
        ("empty_object", 200, b"{}"),
        ("empty", 200, b""),
        ("array_of_null", 200, b"[null]"),
        ("cut_json", 200, b'{"symbol":"BTCUSDT"'),
        ({"status": 503, "body": '{"code":-1006,"msg":"UNEXPECTED"}'}, 503, b'{"code":-1006'),
    ],
)
def test_an_order_that_landed_may_be_answered_with_rubbish(
    served: RunningExchange, who: Customer, action: Any, status: int, body: bytes
) -> None:
    served.admin.faults([{**ORDER, "action": action}])
    answer = who.limit("BUY", "1", "50")
    assert answer.status == status
    assert answer.body.startswith(body)
    if status != 200 or action != "cut_json":
        assert b'"fills"' not in answer.body
    assert len(served.admin.books()["orders"]) == 1
    assert _counts(served) == [(1, 1, 1)]


def test_a_given_answer_leaves_the_books_alone(served: RunningExchange, who: Customer) -> None:
    body = json.dumps({"code": -1003, "msg": "Too many requests."})
    action = {"name": "answer", "status": 429, "headers": {"Retry-After": "35"}, "body": body}
    served.admin.faults([{**ORDER, "times": 1, "action": action}])
    answer = who.limit("BUY", "1", "50")
    assert answer.refusal == (429, -1003, "Too many requests.")
    assert answer.headers["Retry-After"] == "35"
    assert served.admin.books()["orders"] == []
    assert who.limit("BUY", "1", "50").status == 200, "once only"
    assert _counts(served) == [(2, 1, 1)]


def test_a_dribbled_answer_arrives_byte_by_byte_and_whole(
    served: RunningExchange, who: Customer
) -> None:
    action = {"name": "dribble", "gap_ms": 0}
    served.admin.faults([{"path": "/api/v3/ping", "action": action}])
    assert who.get("ping").json == {}
    assert _counts(served) == [(1, 1, 1)]


def test_an_answer_is_held_until_it_is_released(served: RunningExchange, who: Customer) -> None:
    served.admin.faults([{**ORDER, "action": {"name": "hold", "gate": "g1"}}])
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(who.limit("BUY", "1", "50")))
    asking.start()
    _wait_until_held(served)
    assert answers == []
    assert len(served.admin.books()["orders"]) == 1, "the order is in the books all the while"
    assert _counts(served) == [(1, 1, 0)], "not observed yet"
    assert served.admin.release("g1") == 1
    asking.join(5)
    assert answers[0].json["status"] == "NEW"
    assert _counts(served) == [(1, 1, 1)]


def test_the_end_of_the_exchange_lets_go_of_whoever_waits(
    bar_file: Callable[..., str], customer: Callable[..., Customer]
) -> None:
    with serve_in_thread(ExchangeConfig(bars=[bar_file([FLAT] * 3)])) as served:
        who = customer(served)
        served.admin.faults([{"path": ".*ping", "action": "hold"}])
        who.connection.request("GET", "/api/v3/ping")
        _wait_until_held(served)
    with pytest.raises(GONE):
        who.connection.getresponse()


@pytest.mark.parametrize(
    ("when", "times", "hit"),
    [
        ({}, 0, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, 0, [3]),
        ({"every": 2}, 0, [2, 4, 6]),
        ({"every": 2}, 2, [2, 4]),
        ({"probability": 0}, 0, []),
    ],
)
def test_a_fault_strikes_when_it_is_told_to(
    served: RunningExchange, who: Customer, when: dict[str, Any], times: int, hit: list[int]
) -> None:
    fault = {"path": "/api/v3/time", "when": when, "times": times, "action": "html_403"}
    served.admin.faults([fault])
    struck = [i for i in range(1, 7) if who.get("time").status == 403]
    assert struck == hit
    assert who.get("ping").status == 200
    assert _counts(served) == [(6, len(hit), len(hit))]


def test_a_probability_is_drawn_from_its_seed() -> None:
    def struck(seed: int) -> list[bool]:
        table = FaultTable()
        when = {"probability": 0.3, "seed": seed}
        table.add([{"when": when, "action": "drop_before"}])
        return [table.match(Request("GET", "/x", "", {}, b"")) is not None for _ in range(400)]

    assert struck(1) == struck(1) != struck(2)
    assert 80 < sum(struck(1)) < 160


def test_a_fault_can_look_into_query_and_body_and_the_first_of_two_wins(
    served: RunningExchange, who: Customer
) -> None:
    served.admin.faults(
        [
            {**ORDER, "contains": "newClientOrderId=victim", "action": "null"},
            {**ORDER, "contains": "side=SELL|victim", "action": "html_502"},
        ]
    )
    assert who.limit("BUY", "1", "50", newClientOrderId="other").json["status"] == "NEW"
    assert who.limit("BUY", "1", "50", newClientOrderId="victim").json is None
    assert who.limit("SELL", "1", "50").status == 502
    assert _counts(served) == [(1, 1, 1), (2, 1, 1)]
    served.admin.clear_faults()
    assert served.admin.faults() == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"op": "set", "at": [-1, 1], "value": "NaN"}, [[1, "2"], [3, "NaN"]]),
        ({"op": "set", "at": ["*", 1], "value": None}, [[1, None], [3, None]]),
        ({"op": "delete", "at": [0]}, [[3, "4"]]),
        ({"op": "repeat", "at": [-1]}, [[1, "2"], [3, "4"], [3, "4"]]),
        ({"op": "repeat", "at": [0]}, [[1, "2"], [1, "2"], [3, "4"]]),
        ({"op": "reverse", "at": []}, [[3, "4"], [1, "2"]]),
        ({"op": "first", "at": [], "value": 1}, [[1, "2"]]),
        ({"op": "set", "at": [9, 9], "value": 1}, [[1, "2"], [3, "4"]]),
    ],
)
def test_edits_falsify_the_answer_where_they_point(edit: dict[str, Any], expected: Any) -> None:
    assert json.loads(edited(b'[[1,"2"],[3,"4"]]', (edit,))) == expected


def test_an_edited_answer_keeps_the_truth_in_the_books(
    served: RunningExchange, who: Customer
) -> None:
    edits = [{"op": "keep", "at": [], "value": ["symbol", "orderId"]}]
    served.admin.faults(
        [
            {**ORDER, "action": {"name": "edit", "edit": edits}},
            {
                "path": "/api/v3/depth",
                "action": {"name": "edit", "edit": [{"op": "set", "at": ["bids"], "value": []}]},
            },
        ]
    )
    assert set(who.limit("BUY", "1", "50").json) == {"symbol", "orderId"}
    assert who.get("depth", symbol="BTCUSDT").json["bids"] == []
    assert served.admin.books()["orders"][0]["qty"] == "1"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"path": "/x"}, "needs an action"),
        ({"action": "explode"}, "no action 'explode'; known: delay,"),
        ({"action": {"name": "delay", "delay": 5}}, "action delay: unknown delay"),
        ({"action": {"name": "delay", "send": "pigeon"}}, "send or preset is unknown"),
        ({"action": "null", "pth": "/x"}, "unknown part of a fault: pth"),
        ({"action": "null", "when": {"n": 1}}, "unknown part of when: n"),
        ({"action": "null", "path": "("}, "not a fault"),
        ({"action": "null", "when": {"nth": "x"}}, "not a fault"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_by_name(script: dict[str, Any], said: str) -> None:
    with pytest.raises(FaultError, match=said):
        FaultTable().add([script])


def test_no_fault_of_a_bad_script_is_taken(served: RunningExchange) -> None:
    with pytest.raises(AdminError, match="known: delay"):
        served.admin.faults([{"action": "null"}, {"action": "explode"}])
    assert served.admin.faults() == []


def test_every_action_changes_something() -> None:
    unchanged = [name for name, action in ACTIONS.items() if action == Action()]
    assert sorted(unchanged) == ["edit", "replace"], "these two need parameters"
    assert {action.send for action in ACTIONS.values()} == set(SENDS)


def test_every_answer_leaves_in_one_piece(served: RunningExchange) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as raw:
        for _ in range(20):
            raw.sendall(b"GET /api/v3/exchangeInfo HTTP/1.1\r\nHost: x\r\n\r\n")
            first = raw.recv(1 << 20)
            head, _, body = first.partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert len(body) == length


def test_a_fault_passes_on_what_the_dialect_noted() -> None:
    table = FaultTable()
    table.add([{"action": "null"}])
    fault = table.match(Request("GET", "/x", "", {}, b""))
    assert fault is not None
    assert fault.apply(Reply(200, b"[]", note={"client_id": "x"})).note == {"client_id": "x"}

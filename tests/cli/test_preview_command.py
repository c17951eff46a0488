"""`trader preview` and `trader audit controls` as a user runs them."""

from __future__ import annotations

from decimal import Decimal

from trader.core.controls import CONTROLS
from trader.core.gates import GATES

from .workspace import Workspace, loads


def amount(text: str) -> Decimal:
    """The number of `12.5 USDT`."""
    return Decimal(text.split(" ", maxsplit=1)[0])


def test_a_preview_says_what_would_be_sent_and_writes_nothing(exchange: Workspace) -> None:
    before = exchange.tree()
    row = loads(exchange.trader("preview", "BTC/USDT", "buy", "--json", "--now", exchange.now(0)))
    assert exchange.tree() == before
    assert (row["mode"], row["would_send"], row["strategy"]) == ("testnet", True, "demo_cross")
    order = row["order"]
    quantity, limit = amount(order["quantity"]), amount(order["limit"])
    assert amount(order["value"]) == quantity * limit
    assert amount(order["cost"]) == amount(order["value"]) + amount(order["fee"])
    assert amount(order["stop"]) < limit
    assert [gate["code"] for gate in row["gates"]] == [gate.code for gate in GATES]
    assert all(gate["ok"] for gate in row["gates"])


def test_a_size_of_ones_own_is_taken_up_to_the_caps(exchange: Workspace) -> None:
    words = ("preview", "BTC-USDT", "BUY", "--json", "--now", exchange.now(0), "--size")
    small = loads(exchange.trader(*words, "100"))
    assert Decimal(90) < amount(small["order"]["cost"]) <= Decimal(100)
    large = loads(exchange.trader(*words, "1000000"))
    assert large["size"]["bound"].startswith("policy.limits.") or "budget" in large["size"]["bound"]
    tiny = loads(exchange.trader(*words, "1"))
    assert not tiny["would_send"]
    assert tiny["answer"].startswith("SIZE_NOTHING")


def test_the_first_gate_that_says_no_is_named(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    killed = exchange.trader(
        "kill", "--all", "--by", "me", "--reason", "t", "--now", exchange.now(0)
    )
    assert killed.returncode == 0, killed.stderr
    done = exchange.trader("preview", "BTC/USDT", "buy", "--now", exchange.now(1))
    assert done.returncode == 0, done.stderr
    assert "would NOT be sent, HALT_LEVEL" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_nothing_held_is_nothing_to_sell(exchange: Workspace) -> None:
    row = loads(exchange.trader("preview", "BTC/USDT", "sell", "--json", "--now", exchange.now(0)))
    assert (row["would_send"], row["answer"]) == (False, "NOTHING_TO_SELL")


def test_what_cannot_be_previewed_is_one_sentence(exchange: Workspace) -> None:
    at = ("--now", exchange.now(0))
    for words, said in (
        (("BTC/USDT", "hold"), "is no side"),
        (("BTCUSDT", "buy"), "is not an instrument"),
        (("BTC/USDT:USDT", "buy"), "perpetual"),
        (("DOGE/USDT", "buy"), "no strategy trades DOGE/USDT"),
        (("BTC/USDT", "buy", "--size", "-5"), "cannot be"),
        (("BTC/USDT", "buy", "--size", "nan"), "cannot be"),
        (("BTC/USDT", "buy", "--size", "much"), "is no amount"),
        (("BTC/USDT", "sell", "--size", "5"), "goes with buy"),
        (("BTC/USDT", "buy", "--strategy", "nobody"), "strategy nobody does not trade"),
    ):
        done = exchange.trader("preview", *words, *at)
        assert done.returncode == 2, (words, done.stdout, done.stderr)
        assert said in done.stderr
        assert len(done.stderr.splitlines()) <= 2


def test_the_controls_are_shown_with_their_values_and_refusals(exchange: Workspace) -> None:
    empty = loads(exchange.trader("audit", "controls", "--json"))
    assert [row["number"] for row in empty["controls"]] == [c.number for c in CONTROLS]
    assert all(not row["refused"] for row in empty["controls"])
    collar = empty["controls"][0]
    assert collar["in_force"]
    assert all(collar["keys"].values())
    done = exchange.trader("audit", "controls")
    assert done.returncode == 0
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "price collar" in done.stdout

"""`trader flow`: money that moved without a fill, through the installed command."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .workspace import Workspace, loads

WHO = ("--by", "ann", "--reason", "moved")
PAPER = {"TRADER__APP__MODE": "paper"}


def account(workspace: Workspace) -> dict[str, Any]:
    """The paper account as status tells it."""
    rows = loads(workspace.trader("status", "--json"))["accounts"]
    (row,) = [row for row in rows if row["mode"] == "paper"]
    return row


def test_money_that_moved_is_no_result_and_books_and_venue_still_agree(
    exchange: Workspace,
) -> None:
    assert exchange.trader("paper", "--now", exchange.now(0)).returncode == 0
    before = account(exchange)
    for words in (("deposit", "500", "--id", "t1"), ("withdrawal", "120.5")):
        done = exchange.trader("flow", "record", *words, *WHO, "--now", exchange.now(1), **PAPER)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"[paper] {words[0]} of ")
    again = exchange.trader("flow", "record", "deposit", "500", "--id", "t1", *WHO, **PAPER)
    assert "a flow t1 is written down already: nothing was done" in again.stdout
    after = account(exchange)
    for name in ("cash", "capital", "equity"):
        assert Decimal(after[name]) - Decimal(before[name]) == Decimal("379.5")
    assert (after["day"]["flows"], after["day"]["result"]) == ("379.5", before["day"]["result"])
    assert exchange.trader("paper", "--now", exchange.now(2)).returncode == 0
    assert account(exchange)["notes"] == []
    listed = exchange.trader("flow", "list", **PAPER).stdout
    assert "deposit 500 USDT (t1) by ann: moved" in listed
    assert "withdrawal -120.5 USDT" in listed
    rows = loads(exchange.trader("flow", "list", "--json", **PAPER))["flows"]
    assert [row["amount"] for row in rows] == ["500", "-120.5"]


def test_what_cannot_be_is_one_sentence_and_code_2(exchange: Workspace) -> None:
    early = exchange.trader("flow", "record", "deposit", "5", *WHO, **PAPER)
    assert early.returncode != 0
    assert exchange.trader("paper", "--now", exchange.now(0)).returncode == 0
    seq = account(exchange)["head"]["seq"]
    for words, said in (
        (("deposits", "5"), "did you mean deposit?"),
        (("deposit", "-5"), "contradicts itself"),
        (("withdrawal", "100000000"), "more than the program's cash"),
    ):
        done = exchange.trader("flow", "record", *WHO, "--", *words, **PAPER)
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
        assert len(done.stderr.splitlines()) <= 2
    assert exchange.trader("flow", "record", "deposit", "5", **PAPER).returncode == 2
    assert account(exchange)["head"]["seq"] == seq

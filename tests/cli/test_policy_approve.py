"""`trader policy approve`, and what `trader status` says of it, through the installed command."""

from __future__ import annotations

from .workspace import Workspace, loads

WHO = ("--by", "ann", "--reason", "released")


def test_a_named_human_approves_what_runs(exchange: Workspace) -> None:
    early = exchange.trader("policy", "approve", *WHO)
    assert early.returncode != 0
    exchange.trader("cycle", "--now", exchange.now(0))
    assert "approved" not in exchange.trader("status").stdout
    assert exchange.trader("policy", "approve", "--by", "ann").returncode == 2
    done = exchange.trader("policy", "approve", *WHO)
    assert done.returncode == 0
    assert done.stdout.startswith("[testnet] approved by ann: code, lock, policy (code ")
    again = exchange.trader("policy", "approve", *WHO)
    assert again.stdout.startswith("[testnet] nothing has changed (code ")
    assert "code, lock and policy are those that ann approved" in exchange.trader("status").stdout


def test_a_changed_policy_is_named_by_status_and_opens_nothing(exchange: Workspace) -> None:
    exchange.trader("cycle", "--now", exchange.now(0))
    exchange.trader("policy", "approve", *WHO)
    exchange.env["TRADER__POLICY__LIMITS__SPREAD_MAX"] = "49bps"
    for minute in range(1, 6):
        told = loads(exchange.trader("cycle", "--now", exchange.now(minute), "--json"))
        assert [order for order in told["orders"] if order["side"] == "buy"] == []
        assert {no["code"] for no in told["refused"]} <= {"HASH_UNAPPROVED"}
    said = exchange.trader("status").stdout
    assert "NOT APPROVED: policy not as ann approved: no entries until `trader policy app" in said
    (row,) = loads(exchange.trader("status", "--json"))["accounts"]
    assert row["approval"]["differs"] == ["policy"]

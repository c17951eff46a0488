"""`trader stop`, through the installed command: no new entries, and none that still works."""

from __future__ import annotations

import pytest

from .workspace import Workspace, loads

WHO = ("--by", "ann", "--reason", "calm")
MAKER = {
    "TRADER__STRATEGIES__DEMO_CROSS__ENTRY__STYLE": "maker",
    "TRADER__STRATEGIES__DEMO_CROSS__ENTRY__TTL": "1h",
    "TRADER__STRATEGIES__DEMO_CROSS__ENTRY__MOVES_MAX": "0",
}
CANCEL_LOST = {
    "method": "DELETE",
    "path": "/api/v3/order",
    "action": {"name": "html_502", "process": False},
}


@pytest.fixture
def resting(exchange: Workspace) -> tuple[Workspace, str]:
    """A folder whose account has an entry at rest at the venue, and that minute as `--now`."""
    for minute in range(60):
        now = exchange.now(minute)
        exchange.trader("cycle", "--now", now, **MAKER)
        (account,) = loads(exchange.trader("status", "--json"))["accounts"]
        if any(order["state"] == "open" for order in account["orders"]):
            return exchange, now
    raise AssertionError("nothing rests")


def test_a_stop_halts_entries_until_a_named_human_resumes(exchange: Workspace) -> None:
    now = exchange.now(0)
    assert exchange.trader("cycle", "--now", now).returncode == 0
    nobody = exchange.trader("stop", "--now", now)
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "only a named human" in nobody.stderr
    done = exchange.trader("stop", *WHO, "--now", now)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "[testnet] no new entries; by ann: calm",
            "[testnet] an entry that still works is cancelled by the next cycle; now: --cancel",
            "[testnet] to go on: trader resume --by NAME --reason TEXT",
        ],
    )
    assert exchange.trader("cycle", "--now", exchange.now(1)).returncode == 8
    again = exchange.trader("stop", "--cancel", *WHO, "--now", now)
    assert again.returncode == 0
    assert "[testnet] entries were halted already: no_entries" in again.stdout
    assert "[testnet] CONFIRMED: no entry works any more" in again.stdout
    assert exchange.trader("resume", *WHO, "--now", now).returncode == 0
    assert exchange.trader("cycle", "--now", exchange.now(2)).returncode == 0


def test_a_cancel_is_confirmed_by_the_venue_or_said_not_to_be(
    resting: tuple[Workspace, str],
) -> None:
    workspace, now = resting
    assert workspace.admin is not None
    workspace.admin.faults([CANCEL_LOST])
    refused = workspace.trader("stop", "--cancel", *WHO, "--now", now, **MAKER)
    assert refused.returncode == 11
    assert "LEFT BTC/USDT buy" in refused.stdout
    assert "NOT CONFIRMED" in refused.stdout
    workspace.admin.clear_faults()
    done = workspace.trader("stop", "--cancel", *WHO, "--now", now, "--json", **MAKER)
    assert done.returncode == 0
    row = loads(done)
    assert (row["confirmed"], row["level"], row["halted"]) == (True, "no_entries", False)
    assert (len(row["cancelled"]), row["left"]) == (1, [])
    proof = workspace.trader("audit", "replay", "--json", **MAKER)
    assert proof.returncode == 0, proof.stdout + proof.stderr

"""`trader exit`, through the installed command: asked for, carried out, confirmed or not."""

from __future__ import annotations

import re

import pytest

from trader.cli.statuses import exit_lines

from .terminal import in_terminal
from .workspace import STALE_CORE, Workspace, loads

WHO = ("--by", "ann", "--reason", "bad news, and I shall be away for the rest of the evening")


@pytest.fixture
def holding(exchange: Workspace) -> tuple[Workspace, str]:
    """A folder whose account has just bought BTC/USDT, and that minute as `--now`."""
    for minute in range(30):
        now = exchange.now(minute)
        done = exchange.trader("cycle", "--now", now)
        if re.search(r"buy .* BTC/USDT .*: filled", done.stdout):
            return exchange, now
    raise AssertionError("nothing was bought")


def test_a_position_is_left_in_the_next_cycle_or_at_once(holding: tuple[Workspace, str]) -> None:
    workspace, now = holding
    for words, said in (
        ((), "say what is to be left"),
        (("--all", "BTC/USDT"), "say what is to be left"),
        (("BTC/USDT",), "only a named human does this"),
        (("ETH/USDT", *WHO), "nothing of ETH/USDT is held that could be sold"),
    ):
        refused = workspace.trader("exit", *words, "--now", now)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert said in refused.stderr
    asked = workspace.trader("exit", "BTC-USDT", *WHO, "--now", now)
    assert (asked.returncode, asked.stdout.splitlines()) == (
        0,
        [
            f"[testnet] BTC/USDT is to be left; ann: {WHO[3]}",
            "[testnet] the next cycle sells, and each after it, until it is done (force_exit)",
            "[testnet] to sell now: the same with --at-once",
        ],
    )
    told = f"to be left: BTC/USDT; ann asked for it: {WHO[3]}"
    assert told in workspace.trader("status").stdout
    done = workspace.trader("exit", "BTC/USDT", "--at-once", *WHO, "--now", now)
    assert done.returncode == 0
    assert re.search(r"sell .* BTC/USDT .*force_exit\): filled", done.stdout)
    assert done.stdout.endswith(
        "CONFIRMED: nothing of BTC/USDT is left that the venue would take\n"
    )
    shown = workspace.trader("status").stdout
    assert "to be left" not in shown
    assert "no positions" in shown
    again = workspace.trader("exit", "--all", "--at-once", *WHO, "--now", now)
    assert (again.returncode, again.stdout) == (
        0,
        "[testnet] nothing is held: there is nothing to leave\n",
    )


def test_a_frozen_account_sells_nothing_and_says_so(holding: tuple[Workspace, str]) -> None:
    workspace, now = holding
    assert workspace.trader("kill", "--all", "--now", now).returncode == 0
    seen = in_terminal(workspace, "exit", "--all", "--at-once", *WHO, "--now", now)
    assert seen.code == 11
    lines = [line for line in seen.text.splitlines() if not line.startswith(STALE_CORE)]
    assert all(len(line) <= 80 for line in lines)
    assert not any("goes on selling" in line for line in lines)
    wide = in_terminal(workspace, "exit", "--all", "--at-once", *WHO, "--now", now, columns=120)
    assert wide.code == 11
    for text in (seen.text, wide.text):
        words = " ".join(text.replace("[testnet]", " ").split())
        assert "the account is frozen: nothing is sold before `trader kill resume`" in words
        assert "NOT CONFIRMED" in words
        assert re.search(r"LEFT 0\.0[0-9]+ of BTC/USDT", words)
    row = loads(workspace.trader("exit", "--all", "--at-once", *WHO, "--now", now, "--json"))
    assert (row["confirmed"], row["level"], row["held"]) == (False, "frozen", ["BTC/USDT"])
    assert [left["symbol"] for left in row["left"]] == ["BTC/USDT"]


def test_alarms_and_what_is_to_be_left_are_told_line_by_line() -> None:
    asked = {"by": "ann", "why": "news", "at_ms": 1, "done_ms": -1}
    row = {
        "alarms": ["EXIT_NO_BID symbol=BTC/USDT reason=stop_loss"],
        "asked": [{"symbol": "*", **asked}, {"symbol": "ETH/USDT", **asked}],
    }
    assert exit_lines(row) == [
        "ALARM EXIT_NO_BID symbol=BTC/USDT reason=stop_loss",
        "to be left: everything; ann asked for it: news",
        "to be left: ETH/USDT; ann asked for it: news",
    ]
    assert exit_lines({}) == []

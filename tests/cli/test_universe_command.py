"""`trader universe show`."""

from __future__ import annotations

import pytest

from trader.errors import ExitCode
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

from .workspace import Workspace, loads

UNIVERSE = """
timeframe: 5m
refresh: 30m
deny: [DOGE/USDT]
tiers:
  core: {pairs: [BTC/USDT]}
  rotational:
    pairs: [".*/USDT"]
    filters: {quote_volume_24h_min: 1, spread_max: 50bps}
    take: 1
regime:
  benchmark: BTC/USDT
  timeframe: 5m
  confirm_bars: 1
  states:
    up: {when: "close > sma(close, 10)", tiers: [core, rotational], risk: 100%}
    down: {tiers: [core], risk: 50%}
"""
BARS = ("--bars", "made_btcusdt_1m.csv.gz", "--bars", "made_ethusdt_1m.csv.gz")


@pytest.fixture
def tiered(workspace: Workspace) -> Workspace:
    """A policy with two tiers and a regime, and bars of two instruments."""
    write_made_bars(workspace.folder, minutes=1_500, instruments=DEMO_INSTRUMENTS[:2])
    (workspace.folder / "config" / "universe.yaml").write_text(UNIVERSE)
    return workspace


def test_bar_files_tell_tiers_members_regime_and_why(tiered: Workspace) -> None:
    shown = loads(tiered.trader("universe", "show", *BARS, "--json"))
    assert [tier["tier"] for tier in shown["tiers"]] == ["core", "rotational"]
    core, rotational = shown["tiers"]
    assert core["members"] == ["BTC/USDT"]
    (candidate,) = rotational["candidates"]
    assert (candidate["symbol"], candidate["answer"]) == ("ETH/USDT", "MEMBER")
    assert float(candidate["seen"]["quote_volume"]) > 1
    regime = shown["regime"]
    assert regime["name"] == ("up" if regime["rules"]["up"] == 1 else "down")
    assert list(regime["values"]) == ["sma(close, 10)"]
    assert rotational["open"] is (regime["name"] == "up")


@pytest.mark.parametrize("columns", [80, 120])
def test_the_tables_fit_the_terminal(tiered: Workspace, columns: int) -> None:
    done = tiered.trader("universe", "show", *BARS, COLUMNS=str(columns))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("[paper] the universe at 2023-11-")
    assert all(len(line) <= columns for line in lines)
    told = " ".join(done.stdout.split())
    assert "never: DOGE/USDT" in told
    assert "values: sma(close, 10) = " in told
    assert "pair rank USDT/24h spread history answer" in told


def test_an_earlier_time_is_told_as_it_was(tiered: Workspace) -> None:
    late = loads(tiered.trader("universe", "show", *BARS, "--json"))
    at_ms = late["at_ms"] - 7 * 60_000
    early = loads(tiered.trader("universe", "show", *BARS, "--json", "--at", str(at_ms)))
    assert early["at_ms"] == at_ms
    wrong = tiered.trader("universe", "show", *BARS, "--at", "yesterday")
    assert wrong.returncode == ExitCode.USAGE
    assert "--at 'yesterday' is not a time" in wrong.stderr
    never = tiered.trader("universe", "show", *BARS, "--at", "1000000000")
    assert never.returncode == ExitCode.DATA


def test_without_bars_and_without_a_decision_it_says_what_to_do(tiered: Workspace) -> None:
    done = tiered.trader("universe", "show")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr

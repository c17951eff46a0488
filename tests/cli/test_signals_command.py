"""`trader signals show`."""

from __future__ import annotations

import math

import pytest

from trader.errors import ExitCode
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

from .workspace import Workspace, loads

STRATEGIES = """
averages:
  timeframe: 5m
  enter: crosses_above(ema(close, 5), ema(close, 9)) and rsi(14) < 70
  exit: close < on("30m", sma(close, 4))
  stop: 3 * atr(14)
  trail: 5%
  size: {equity_share: 5%}
"""
BARS = ("--bars", "made_btcusdt_1m.csv.gz")


@pytest.fixture
def ruled(workspace: Workspace) -> Workspace:
    """A strategy of rules, and bars of one instrument."""
    write_made_bars(workspace.folder, minutes=4_000, instruments=DEMO_INSTRUMENTS[:1])
    (workspace.folder / "config" / "strategies.yaml").write_text(STRATEGIES)
    return workspace


def test_each_part_of_a_rule_has_its_value(ruled: Workspace) -> None:
    shown = loads(ruled.trader("signals", "show", "BTC/USDT", *BARS, "--json"))
    assert (shown["mode"], shown["symbol"]) == ("paper", "BTC/USDT")
    (row,) = shown["strategies"]
    opinion = row["opinion"]
    assert opinion["problem"] == ""
    values = {one["expression"]: one for one in row["expressions"]}
    outputs = {one["output"]: one for one in row["expressions"] if one["output"]}
    assert set(outputs) == {"enter", "exit", "stop", "trail"}
    stop = outputs["stop"]
    assert (stop["expression"], stop["hex"]) == ("(3 * atr(14))", opinion["stop_distance_hex"])
    assert stop["value"] == 3.0 * values["atr(14)"]["value"]
    assert values["sma(close, 4)"]["timeframe"] == "30m"
    seen = values['on("30m", sma(close, 4))']
    assert seen["hex"] == values["sma(close, 4)"]["hex"]
    assert opinion["exit_now"] == outputs["exit"]["value"]
    assert all(one["ready"] and one["rows_missing"] == 0 for one in row["expressions"])


def test_a_time_before_the_warm_up_says_what_is_missing(ruled: Workspace) -> None:
    late = loads(ruled.trader("signals", "show", "BTC/USDT", *BARS, "--json"))
    at_ms = late["close_ms"] - 3_960 * 60_000
    early = loads(ruled.trader("signals", "show", "BTC/USDT", *BARS, "--json", "--at", str(at_ms)))
    (row,) = early["strategies"]
    assert row["opinion"]["problem"].startswith("DATA_")
    missing = {one["expression"]: one["rows_missing"] for one in row["expressions"]}
    assert missing["close"] == 0
    assert missing["rsi(close, 14)"] > 100


@pytest.mark.parametrize("columns", [80, 120])
def test_the_tables_fit_the_terminal(ruled: Workspace, columns: int) -> None:
    done = ruled.trader("signals", "show", "BTC/USDT", *BARS, COLUMNS=str(columns))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("[paper] BTC/USDT at 2023-")
    assert all(len(line) <= columns for line in lines)
    told = " ".join(done.stdout.split())
    assert "averages (5m)" in told
    assert "output expression bars value" in told


def test_a_stop_that_no_signal_can_use_is_told_in_decimals(ruled: Workspace) -> None:
    rules = {"enter": "close != 1.5", "stop": "-2 * (high - low + 1)"}
    text = "".join(f"\n  {key}: '{rule}'" for key, rule in rules.items())
    (ruled.folder / "config" / "strategies.yaml").write_text(f"upside_down:{text}\n")
    told = ruled.trader("signals", "show", "BTC/USDT", *BARS).stdout
    assert "problem: SIGNAL_NOT_READY stop=-" in told
    assert "0x" not in told
    assert not [line for line in told.splitlines() if line.split()[1:2] == ["1.5"]]
    report = ruled.trader("backtest", *BARS, "--timerange", "20231116-20231117").stdout
    assert "0 orders sent" in report
    _, _, rest = report.partition("Not ready (how often nothing could be asked for)")
    assert "SIGNAL_NOT_READY" in rest


def test_what_is_not_there_is_said_in_a_sentence(ruled: Workspace) -> None:
    unknown = ruled.trader("signals", "show", "BTC/USDT", *BARS, "--strategy", "gone")
    assert unknown.returncode == ExitCode.USAGE
    assert "strategy 'gone' is not in the policy" in unknown.stderr
    other = ruled.trader("signals", "show", "SOL/USDT", *BARS)
    assert other.returncode == ExitCode.DATA
    assert "no bar file is of SOL/USDT" in other.stderr
    empty = ruled.trader("signals", "show", "BTC/USDT")
    assert empty.returncode != 0
    assert "Traceback" not in empty.stderr


def test_hex_is_the_value_to_the_last_bit(ruled: Workspace) -> None:
    shown = loads(ruled.trader("signals", "show", "BTC/USDT", *BARS, "--json"))
    numbers = [one for one in shown["strategies"][0]["expressions"] if one["hex"]]
    assert len(numbers) > 5
    for one in numbers:
        assert math.isclose(float.fromhex(one["hex"]), float(one["value"]), rel_tol=0.0)

"""Reports on real files, compared to the byte: a changed decision on any of them fails here.

`GOLDEN=write pytest tests/golden` writes them anew; a changed decision is then named in CHANGELOG
under Decisions. What is kept are figures of ours; the bars are not the project's to give away.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trader.cli.demo_files import config_files

DATA = Path(__file__).parents[3] / "shared" / "data" / "real"
KEPT = Path(__file__).parent / "kept_real"
WRITE = os.environ.get("GOLDEN") == "write"
STRATEGIES = """\
trend:
  enter: crosses_above(sma(close, 20), sma(close, 50))
  exit: sma(close, 20) < sma(close, 50)
  stop: 3 * atr(14)
  timeframe: 1m
  size:
    equity_share: 10%
dip:
  enter: rsi(14) < 25 and close > lowest(low, 50)
  exit: rsi(14) > 55
  stop: 4%
  target: 3%
  trail: 5%
  max_hold: 20d
  timeframe: 1m
  size:
    equity_share: 8%
"""
# File (without .csv.gz): the symbol where its name does not say it, its timeframe, other words.
CASES: dict[str, tuple[str, str, list[str]]] = {
    "binance_btcusdt_1h_2017-08_2024-04": (
        "", "1h", ["--timerange", "20200215-20200401", "--buy-and-hold", "--no-costs"],
    ),
    "lean_coinbase_btcusd_1d_2014-12_2018-08": ("", "1d", ["--buy-and-hold"]),
    "derived_bitfinex_ethusd_5m_2016-2017": (
        "", "5m", ["--timerange", "20170601-20170610", "--no-costs"],
    ),
    "lean_coinbase_btcusd_1m_20171217": ("", "1m", ["--fee", "25"]),
    "awkward_bitfinex_btcusd_1m_2016-07-25_2016-08-20_hack_outage": (
        "", "1m", ["--timerange", "20160802-20160811", "--no-costs"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy of rules alone."""
    found = tmp_path_factory.mktemp("real")
    for name, text in config_files('""', ["BTC/USDT"]).items():
        path = found / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("testnet", "paper"), encoding="utf-8")
    (found / "config" / "strategies.yaml").write_text(STRATEGIES, encoding="utf-8")
    return found


def output(folder: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRADER_")}
    done = subprocess.run(
        [sys.executable, "-m", "trader", "backtest", "--no-save", *words],
        cwd=folder, env={**env, "COLUMNS": "80"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def sha_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", CASES)
def test_a_report_on_real_bars_is_what_it_was(folder: Path, name: str, tmp_path: Path) -> None:
    bars = DATA / f"{name}.csv.gz"
    if not bars.is_file():
        pytest.skip(f"{bars.name} is not beside this checkout: its report was NOT compared")
    symbol, timeframe, more = CASES[name]
    given = f"{bars}={symbol}" if symbol else str(bars)
    words = ["--bars", given, "--timeframe", timeframe, *more]
    text = output(folder, *words, "--csv", str(tmp_path / "out"))
    assert max(map(len, text.splitlines())) <= 80
    rows = {path.name: sha_of(path) for path in sorted((tmp_path / "out").iterdir())}
    found = text + json.dumps(rows, indent=1) + "\n"
    if WRITE:
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"{name}.txt").write_text(found, encoding="utf-8")
    assert found == (KEPT / f"{name}.txt").read_text(encoding="utf-8")


def test_no_kept_report_is_an_orphan() -> None:
    assert {path.stem for path in KEPT.iterdir()} == set(CASES)

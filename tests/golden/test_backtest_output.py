"""The installed command's whole output, compared to the byte.

`GOLDEN=write pytest tests/golden` writes the files anew (and deletes those that no case makes); a
changed decision is then named in CHANGELOG under Decisions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trader.cli.demo_files import config_files
from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars

KEPT = Path(__file__).parent / "kept"
WRITE = os.environ.get("GOLDEN") == "write"
MINUTES = 2_400
BARS = "made_btcusdt_1m.csv.gz"
CASES: dict[str, tuple[list[str], str]] = {
    "backtest.json": (["--bars", BARS, "--json"], "80"),
    "backtest_80.txt": (["--bars", BARS], "80"),
    "backtest_120.txt": (["--bars", BARS], "120"),
    "backtest_two_5m_range.txt": (
        [
            "--bars", BARS, "--bars", "made_ethusdt_1m.csv.gz=ETH/USDT", "--timeframe", "5m",
            "--timerange", "20231115T1800-20231116T1200", "--fee", "2.5", "--spread", "0",
            "--starting-balance", "500",
        ],
        "80",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("golden")
    write_made_bars(found, minutes=MINUTES, instruments=DEMO_INSTRUMENTS[:2])
    for name, text in config_files('""', ["BTC/USDT"]).items():
        path = found / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("testnet", "paper"), encoding="utf-8")
    return found


def output(folder: Path, words: list[str], columns: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TRADER_")}
    done = subprocess.run(
        [sys.executable, "-m", "trader", "backtest", "--no-save", *words],
        cwd=folder, env={**env, "COLUMNS": columns}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", CASES)
def test_the_output_is_what_it_was(folder: Path, name: str) -> None:
    words, columns = CASES[name]
    found = output(folder, words, columns)
    if WRITE:
        KEPT.mkdir(exist_ok=True)
        (KEPT / name).write_text(found, encoding="utf-8")
    assert found == (KEPT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith(".txt")])
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_cut(folder: Path, name: str) -> None:
    words, columns = CASES[name]
    lines = output(folder, words, columns).splitlines()
    assert max(len(line) for line in lines) <= int(columns)
    assert not any("…" in line for line in lines)


def test_no_kept_file_is_an_orphan() -> None:
    for path in KEPT.iterdir():
        if path.name not in CASES and WRITE:
            path.unlink()
    assert {path.name for path in KEPT.iterdir()} == set(CASES)


def test_equal_inputs_give_equal_bytes(folder: Path) -> None:
    words, columns = CASES["backtest.json"]
    assert output(folder, words, columns) == output(folder, words, columns)


def test_amounts_are_text_in_json(folder: Path) -> None:
    def floats(value: object) -> list[object]:
        if isinstance(value, dict):
            return [found for inner in value.values() for found in floats(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in floats(inner)]
        return [value] if isinstance(value, float) else []

    report = json.loads(output(folder, *CASES["backtest.json"]))
    assert floats(report) == []
    assert report["round_trips"]
    assert report["metrics"]["max_drawdown"] != "0.000000"
    assert report["metrics"]["sharpe"] is None
    assert report["metrics_undefined"]["sharpe"] == "too short (1.6 days, 30 needed)"

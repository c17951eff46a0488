"""`trader backtest sweep` as a user runs it."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from trader import build
from trader.cli.main import run

from .terminal import in_terminal
from .workspace import Workspace, loads

START_MS = 1_700_006_400_000
STRATEGIES = """
cross:
  enter: crosses_above(sma(close, fast), sma(close, slow))
  exit: crosses_below(sma(close, fast), sma(close, slow))
  stop: 8%
  timeframe: 1m
  instruments: [BTC/USDT]
  parameters: {fast: 2, slow: 5}
  sweep:
    ranges: {fast: 2:4, slow: [3, 5, 7, 9]}
    where: [fast < slow]
"""
SWEEP = ("backtest", "sweep", "--bars", "BTC_USDT-1m.csv")
BY = ("--by", "total_return")


@pytest.fixture
def swept(workspace: Workspace) -> Workspace:
    """A workspace with a strategy that declares a sweep, and bars for it."""
    workspace.write_config()
    (workspace.folder / "config" / "strategies.yaml").write_text(STRATEGIES)
    rows = ["timestamp_ms,open,high,low,close,volume"]
    price = 100_000
    for at in range(90):
        after = price + 8 * ((at * 7919) % 23 - 11 + (8 if at // 9 % 2 else -8))
        cells = ",".join(
            f"{cents / 100:.2f}" for cents in (price, *sorted((after, price))[::-1], after)
        )
        rows.append(f"{START_MS + at * 60_000},{cells},900000")
        price = after
    (workspace.folder / "BTC_USDT-1m.csv").write_text("\n".join([*rows, ""]))
    return workspace


def test_the_first_line_says_how_many_trials_were_made(swept: Workspace) -> None:
    done = swept.trader(*SWEEP, "--by", "total_return")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("10 trials made on these data and strategies")
    assert max(map(len, lines)) <= 80
    again = swept.trader(*SWEEP, "--by", "total_return", "--param", "fast=2")
    assert again.stdout.startswith(
        "14 trials made on these data and strategies (4 here, 10 before)"
    )


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_table_fits_the_terminal(swept: Workspace, columns: str) -> None:
    done = swept.trader(*SWEEP, "--by", "total_return", "--heat", "auto", COLUMNS=columns)
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= int(columns)
    (head,) = [line for line in lines if line.lstrip().startswith("trial ")]
    assert head.split()[:4] == ["trial", "fast", "slow", "return"]
    assert ("Calmar" in head) == (columns == "120") or len(head) <= 80
    # The best by return comes first, and the map has a row for each fast.
    told = [row.split() for row in lines[lines.index(head) + 1 :][:10]]
    returns = [float(row[3]) for row in told]
    assert returns == sorted(returns, reverse=True)
    at = next(
        n for n, line in enumerate(lines) if line.startswith("total_return in %: cross.fast down")
    )
    assert [line.split()[0] for line in lines[at + 1 : at + 5]] == ["3", "2", "3", "4"]
    assert "." in lines[at + 3].split()  # 3 < 3 was not tried


def test_all_rows_come_as_json_and_csv_in_the_order_of_the_trials(swept: Workspace) -> None:
    done = swept.trader(*SWEEP, "--json", "--csv", "all.csv", "--svg", "map.svg", *BY)
    told = loads(done)
    assert [row["trial"] for row in told["rows"]] == list(range(10))
    assert told["rows"][4]["values"] == {"cross.fast": "3", "cross.slow": "5"}
    assert told["trials"] == {
        "made": 10, "done": 10, "refused": 0, "failed": 0,
        "counted": {"here": 10, "earlier": 0, "total": 10},
    }  # fmt: skip
    with (swept.folder / "all.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["cross.slow"] for row in rows[:5]] == ["3", "5", "7", "9", "5"]
    for row, other in zip(rows, told["rows"], strict=True):
        assert row["final_equity"] == other["metrics"]["final_equity"]
    picture = ET.parse(swept.folder / "map.svg").getroot()
    cells = [node for node in picture.iter() if node.tag.endswith("title")]
    assert len(cells) == 10


def test_a_trial_is_the_back_test_with_its_numbers(swept: Workspace) -> None:
    told = loads(swept.trader(*SWEEP, "--json"))
    swept.replace("strategies.yaml", "{fast: 2, slow: 5}", "{fast: 3, slow: 9}")
    alone = loads(swept.trader("backtest", "--bars", "BTC_USDT-1m.csv", "--no-save", "--json"))
    (row,) = [row for row in told["rows"] if list(row["values"].values()) == ["3", "9"]]
    assert row["metrics"]["final_equity"] == alone["account"]["final_equity"]
    assert row["metrics"]["total_return"] == alone["metrics"]["total_return"]
    assert row["metrics"]["fees"] == alone["account"]["fees"]
    assert int(row["metrics"]["orders"]) == alone["orders"]["sent"] > 0


def test_the_page_needs_no_network_and_says_the_count(swept: Workspace) -> None:
    done = swept.trader(*SWEEP, "--html", "sweep.html", "--by", "total_return")
    assert done.returncode == 0, done.stderr
    page = (swept.folder / "sweep.html").read_text()
    assert "10 trials made on these data and strategies" in page
    assert page.count("<rect") == 10 + 40
    assert not re.search(r"<script|<link|<img|https?://(?!www\.w3\.org/2000/svg)", page)


def test_equal_inputs_give_equal_bytes_on_one_worker_and_two(swept: Workspace) -> None:
    one = swept.trader(*SWEEP, "--json", "--out", "one", "--workers", "1", "--state-dir", "s1")
    two = swept.trader(*SWEEP, "--json", "--out", "one", "--workers", "2", "--state-dir", "s2")
    rest = swept.trader(*SWEEP, "--json", "--out", "two", "--workers", "2", "--state-dir", "s3")
    assert one.stdout == two.stdout
    assert rest.stdout == one.stdout.replace('"place": "one"', '"place": "two"')
    for name in ("trials.jsonl", "sweep.json"):
        first, second = swept.folder / "one" / name, swept.folder / "two" / name
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--param", "fats=2:4"), 2, "did you mean"),
        (("--param", "fast=4:2"), 2, "did you mean 2:4"),
        (("--param", "fast=1:500", "--param", "slow=1:500"), 2, "at most 100,000"),
        (("--param", "fast=0:3"), 2, "a period must be at least 1"),
        (("--where", "fast > 99"), 2, "no point of the grid keeps"),
        (("--where", "fast"), 2, "is not a condition"),
        (("--grid", "--random", "3"), 2, "--grid and --random exclude each other"),
        (("--random", "x"), 2, "--random 'x' is not a whole number"),
        (("--random", "11"), 2, "only 10 points"),
        (("--random", "3", "--seed", "-1"), 2, "--seed '-1' is not a whole number"),
        (("--list", "absent.csv"), 2, "cannot read absent.csv"),
        (("--list", "x.csv", "--param", "fast=2"), 2, "exclude each other"),
        (("--by", "sharp"), 2, "did you mean sharpe"),
        (("--by", "exposure"), 2, "cannot be ordered by 'exposure'"),
        (("--top", "many"), 2, "--top 'many' is not a whole number"),
        (("--workers", "0.5"), 2, "--workers '0.5'"),
        (("--heat", "fast"), 2, "write --heat fast,slow"),
        (("--heat", "fast,slwo"), 2, "'slwo' is not a swept parameter"),
        (("--param", "slow=9", "--svg", "m.svg"), 2, "needs two swept parameters"),
        (("--csv", "absent/all.csv"), 2, "there is no folder"),
        (("--timerange", "20300101-"), 3, "no bar lies in the asked time range"),
        (("--strategy", "nobody"), 2, "'nobody' is not in the policy"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_leaves_nothing(
    swept: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(swept.folder)
    before = {name for name in swept.tree() if "cache" not in name}
    assert run([*SWEEP, *words]) == code
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert {name for name in swept.tree() if "cache" not in name} == before


def test_without_ranges_it_says_how_to_declare_them(swept: Workspace) -> None:
    text = STRATEGIES.partition("  sweep:")[0]
    (swept.folder / "config" / "strategies.yaml").write_text(text)
    done = swept.trader(*SWEEP)
    assert done.returncode == 2
    assert "sweep: {ranges: {fast: 5:50:5}}" in done.stderr


def test_parquet_without_its_package_is_said_before_anything_runs(swept: Workspace) -> None:
    done = swept.without("pyarrow", *SWEEP, "--parquet", "all.parquet")
    assert done.returncode == 2
    assert 'pip install "trader[parquet]"' in done.stderr
    assert not (swept.folder / "state" / "sweeps").exists()


def test_parquet_holds_every_trial(swept: Workspace) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet", reason="the extra is not installed")
    told = loads(swept.trader(*SWEEP, "--parquet", "all.parquet", "--json"))
    table = parquet.read_table(swept.folder / "all.parquet").to_pydict()
    assert table["trial"] == list(range(10))
    assert table["cross.slow"][:4] == [3.0, 5.0, 7.0, 9.0]
    assert table["final_equity"] == [row["metrics"]["final_equity"] for row in told["rows"]]


PYTHON = '''"""Buys every so many bars."""
PARAMETERS = {"every": 10, "stop": 0.05}
def warmup(p):
    return 0
def signals(bars, p):
    minutes = [at // 60000 for at in bars.open_ms]
    return {
        "enter": [m % p["every"] == 0 for m in minutes],
        "exit": [[1, 0][bool(m % p["every"] - 5)] for m in minutes],
        "stop": [close * p["stop"] for close in bars.close],
    }
'''


def test_a_python_file_is_swept_and_trials_in_which_it_fails_say_so(swept: Workspace) -> None:
    (swept.folder / "config" / "strategies").mkdir(exist_ok=True)
    (swept.folder / "config" / "strategies" / "cross.py").write_text(PYTHON)
    text = "cross:\n  timeframe: 1m\n  instruments: [BTC/USDT]\n"
    (swept.folder / "config" / "strategies.yaml").write_text(text)
    words = (*SWEEP, *BY, "--param", "every=0:30:10", "--param", "stop=0.05")
    told = loads(swept.trader(*words, "--json"))
    assert [row["state"] for row in told["rows"]] == ["failed", "done", "done", "done"]
    assert "STRATEGY_FAILED" in told["rows"][0]["why"]
    assert "ZeroDivisionError" in told["rows"][0]["why"]
    assert told["trials"]["counted"]["total"] == 4
    assert [row["trial"] for row in told["best"]] != []
    assert 0 not in [row["trial"] for row in told["best"]]
    trips = [int(row["metrics"]["round_trips"]) for row in told["rows"][1:]]
    assert trips == sorted(trips, reverse=True)
    assert trips[0] > trips[2] > 0
    shown = swept.trader(*words).stdout
    assert shown.startswith("4 trials made on these data and strategies; 1 failed, 0 refused")
    assert "1 without numbers: cross: STRATEGY_FAILED" in shown


def test_other_inputs_in_the_same_folder_are_refused_by_name(swept: Workspace) -> None:
    assert swept.trader(*SWEEP, "--out", "mine").returncode == 0
    done = swept.trader(*SWEEP, "--out", "mine", "--fee", "20", "--param", "fast=2")
    assert done.returncode == 2
    assert "mine holds a sweep of other inputs:" in done.stderr
    for name in ("instruments BTC/USDT", "sweep axes cross.fast", "sweep points"):
        assert name in done.stderr


def start(workspace: Workspace, *words: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    kept |= {name: text for name, text in os.environ.items() if name.startswith("TRADER_INTERP")}
    return subprocess.Popen(
        [sys.executable, "-m", "trader", *words],
        cwd=workspace.folder,
        env={**kept, "HOME": str(workspace.folder), "LANG": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_ended_goes_on_and_says_the_same(
    swept: Workspace, how: signal.Signals
) -> None:
    # As many trials as take a second or two, compiled or not.
    last = 150 if build.describe().startswith("compiled") else 40
    count = 29 * (last - 30)
    ranges = ("--param", "fast=2:30", "--param", f"slow=31:{last}")
    many = (*SWEEP, *ranges, "--json", "--out", "mine")
    process = start(swept, *many)
    rows = swept.folder / "mine" / "trials.jsonl"
    until = time.monotonic() + 40
    while time.monotonic() < until and process.poll() is None:
        if rows.exists() and rows.stat().st_size:
            break
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate(timeout=40)
    assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL), said
    made = len(rows.read_bytes().splitlines())
    assert 0 < made < count
    done = swept.trader(*many)
    assert done.returncode == 0, done.stderr
    whole = swept.trader(*many[:-1], "whole", "--state-dir", "elsewhere")
    assert loads(done)["rows"] == loads(whole)["rows"]
    assert loads(done)["trials"]["counted"]["total"] == count
    for name in ("trials.jsonl", "sweep.json"):
        assert (swept.folder / "mine" / name).read_bytes() == (
            swept.folder / "whole" / name
        ).read_bytes()


def test_a_terminal_sees_colours_where_a_pipe_sees_none(swept: Workspace) -> None:
    words = (*SWEEP, "--heat", "fast,slow", "--by", "total_return", "-v")
    seen = in_terminal(swept, *words)
    assert seen.code == 0
    assert "\x1b[48;5;" in seen.raw
    assert "10 trials made on these data" in seen.text
    assert "\x1b" not in swept.trader(*words).stdout


def test_the_record_says_what_went_in(swept: Workspace) -> None:
    swept.trader(*SWEEP)
    (folder,) = [path for path in (swept.folder / "state" / "sweeps").iterdir() if path.is_dir()]
    record = json.loads((folder / "sweep.json").read_text())
    assert record["state"] == "complete"
    assert record["counted"] == {"here": 10, "earlier": 0, "total": 10}
    axes = record["inputs"]["sweep"]["axes"]
    assert axes == {"cross.fast": "2,3,4", "cross.slow": "3,5,7,9"}
    assert list(record["inputs"]["data"]) == ["BTC/USDT 1m bars"]
    assert folder.name == loads(swept.trader(*SWEEP, "--json"))["id"]

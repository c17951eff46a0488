"""Back-tests that are kept: named by what went into them, shown again, held against each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .workspace import Workspace, loads


def runs(workspace: Workspace) -> list[Path]:
    return sorted((workspace.folder / "state" / "backtests").iterdir())


@pytest.fixture
def kept(workspace: Workspace, made_bars: list[Path]) -> Workspace:
    """A workspace with one run in it."""
    done = workspace.trader("backtest", "--bars", str(made_bars[0]))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"Run {runs(workspace)[0].name}"
    return workspace


def test_the_same_inputs_are_kept_once_under_one_name(
    kept: Workspace, made_bars: list[Path]
) -> None:
    before = kept.tree()
    copy = kept.folder / "elsewhere_btcusdt_1m.csv.gz"
    copy.write_bytes(made_bars[0].read_bytes())
    again = kept.trader("backtest", "--bars", str(copy))
    assert again.returncode == 0, again.stderr
    assert len(runs(kept)) == 1
    after = kept.tree()
    names = [name for name in before if name.startswith("state/backtests/")]
    assert len(names) == 4
    assert {name: after[name] for name in names} == {name: before[name] for name in names}


def test_a_kept_run_is_shown_as_it_was(kept: Workspace, made_bars: list[Path]) -> None:
    (run,) = runs(kept)
    first = kept.trader("backtest", "--bars", str(made_bars[0]))
    shown = kept.trader("backtest", "show", run.name[:6])
    assert (shown.returncode, shown.stdout) == (0, first.stdout)
    first = kept.trader("backtest", "--bars", str(made_bars[0]), "--json")
    shown = kept.trader("backtest", "show", run.name, "--json")
    assert shown.stdout == first.stdout
    manifest = loads(shown)["manifest"]
    assert manifest["id"] == run.name
    assert {"policy", "policy_source", "code", "lock", "strategies", "data", "options", "seed"} <= (
        set(manifest)
    )
    assert loads(shown)["round_trips"]


def test_csv_files_hold_every_fill_and_round_trip(kept: Workspace, made_bars: list[Path]) -> None:
    done = kept.trader("backtest", "--bars", str(made_bars[0]), "--json", "--csv", "out")
    report = loads(done)
    lines = {path.name: path.read_text().splitlines() for path in (kept.folder / "out").iterdir()}
    assert set(lines) == {"fills.csv", "round_trips.csv", "equity.csv", "equity_daily.csv"}
    assert len(lines["fills.csv"]) == report["orders"]["fills"] + 1
    assert len(lines["round_trips.csv"]) == len(report["round_trips"]) + 1
    assert len(lines["equity.csv"]) == report["range"]["decision_bars"] + 1
    assert lines["equity.csv"][-1].endswith("," + report["account"]["final_equity"])
    head, first = (line.split(",") for line in lines["round_trips.csv"][:2])
    wanted = report["round_trips"][0]
    assert dict(zip(head, first, strict=True)) == {k: str(v) for k, v in wanted.items()}


def test_runs_are_listed_the_newest_first(kept: Workspace, made_bars: list[Path]) -> None:
    (old,) = runs(kept)
    assert kept.trader("backtest", "--bars", str(made_bars[0]), "--fee", "7").returncode == 0
    rows = loads(kept.trader("backtest", "list", "--json"))["runs"]
    assert len(rows) == 2
    assert rows[-1]["id"] == old.name
    table = kept.trader("backtest", "list").stdout
    assert all(row["id"] in table for row in rows)
    assert max(map(len, table.splitlines())) <= 80


def test_nothing_kept_is_said_plainly(workspace: Workspace) -> None:
    done = workspace.trader("backtest", "list")
    assert (done.returncode, done.stdout) == (0, "No back-test was kept here yet.\n")


def test_no_save_leaves_nothing(workspace: Workspace, made_bars: list[Path]) -> None:
    done = workspace.trader("backtest", "--bars", str(made_bars[0]), "--no-save", "--json")
    assert loads(done)["manifest"] is None
    assert not (workspace.folder / "state" / "backtests").exists()


def test_a_comparison_names_the_first_decision_that_differs(
    kept: Workspace, made_bars: list[Path]
) -> None:
    (old,) = runs(kept)
    words = ("--bars", str(made_bars[0]), "--fee", "7")
    new = loads(kept.trader("backtest", *words, "--json"))["manifest"]["id"]
    found = loads(kept.trader("backtest", "compare", old.name, new, "--json"))
    changed = {row["key"]: (row["a"], row["b"]) for row in found["inputs"]["changed"]}
    assert changed["instruments.BTC/USDT.fee_taker"] == ("0.001", "0.0007")
    assert found["decisions"]["first"]["execution"] == 1
    assert found["decisions"]["first"]["differs"] == ["qty"]
    results = {row["key"] for row in found["results"]["changed"]}
    assert {"account.final_equity", "account.fees"} <= results
    told = kept.trader("backtest", "compare", old.name, new).stdout
    assert "The first that differs is number 1 (qty):" in told
    same = loads(kept.trader("backtest", "compare", old.name, old.name, "--json"))
    assert all(same[part]["same"] for part in ("inputs", "decisions", "results"))


@pytest.mark.parametrize("name", ["report.json", "round_trips.i64", "fills.i64", "run.json"])
def test_a_flipped_bit_of_a_kept_run_is_found_and_the_run_made_anew(
    kept: Workspace, made_bars: list[Path], name: str
) -> None:
    (run,) = runs(kept)
    path = run / name
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    shown = kept.trader("backtest", "show", run.name)
    assert shown.returncode == 3, shown.stderr
    assert f"run {run.name} is damaged" in shown.stderr
    assert shown.stdout == ""
    assert kept.trader("backtest", "--bars", str(made_bars[0])).returncode == 0
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("name", "says"),
    [("abc", "less than 4 of its digits"), ("zzzzzz", "no run begins so")],
)
def test_a_run_that_is_not_there_is_usage(kept: Workspace, name: str, says: str) -> None:
    done = kept.trader("backtest", "show", name)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_a_killed_process_left_is_taken_away(kept: Workspace, made_bars: list[Path]) -> None:
    left = kept.folder / "state" / "backtests" / ".0123456789abcdef.999999999.part"
    left.mkdir()
    (left / "report.json").write_text("{")
    assert len(loads(kept.trader("backtest", "list", "--json"))["runs"]) == 1
    assert kept.trader("backtest", "--bars", str(made_bars[0]), "--fee", "3").returncode == 0
    assert not left.exists()


def test_a_report_is_one_json_document_with_a_line_for_each_row(kept: Workspace) -> None:
    (run,) = runs(kept)
    text = kept.trader("backtest", "show", run.name, "--json").stdout
    report = json.loads(text)
    rows = [line for line in text.splitlines() if line.startswith('  {"strategy"')]
    assert len(rows) == len(report["round_trips"]) + len(report["strategies"]) + len(
        report["books"]
    ) + len(report["open_positions"])

"""`trader data`, as users run it: another process, another folder."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from trader.bars.store import BarStore
from trader.cli.main import run

from .workspace import WARM, Workspace, loads

M = 60_000
T0 = 1_699_920_000_000
HEADER = "timestamp,open,high,low,close,volume\n"


def write(folder: Path, minutes: range, name: str = "BTC_USDT-1m.csv", price: int = 100) -> str:
    """A bar file of some minutes; returns its name."""
    rows = [f"{T0 + n * M},{price},{price + 1},{price - 1},{price + n % 2},2\n" for n in minutes]
    (folder / name).write_text(HEADER + "".join(rows))
    return name


Local = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def local(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Local:
    """Runs `trader data` in this process, as a user in the test's folder would: what it does with
    processes and sockets is asked of the installed command below."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": str(tmp_path), "COLUMNS": "80", "XDG_CONFIG_HOME": ""}.items():
        monkeypatch.setenv(name, value)

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        code = run(words)
        read = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, read.out, read.err)

    return ask


def kept(folder: Path) -> list[tuple[str, str]]:
    """What a state folder keeps."""
    return BarStore(folder / "state" / "bars").held()


def test_files_are_kept_and_join(workspace: Workspace, local: Local) -> None:
    write(workspace.folder, range(100))
    write(workspace.folder, range(80, 150), "more.csv")
    done = local("data", "import", "BTC_USDT-1m.csv", "more.csv=BTC/USDT", "--json")
    assert done.returncode == 0, done.stderr
    rows = loads(done)["files"]
    assert [(row["rows"], row["added"], row["equal"]) for row in rows] == [
        (100, 100, 0), (70, 50, 20),
    ]  # fmt: skip
    again = loads(local("data", "import", "BTC_USDT-1m.csv", "--json"))["files"]
    assert (again[0]["added"], again[0]["equal"]) == (0, 100)
    (row,) = loads(local("data", "list", "--json"))["kept"]
    assert (row["symbol"], row["timeframe"], row["bars"], row["missing"]) == (
        "BTC/USDT", "1m", 150, 0,
    )  # fmt: skip
    shown = loads(local("data", "show", "btc-usdt", "--json"))
    assert [source["what"] for source in shown["sources"]] == [
        "BTC_USDT-1m.csv", "more.csv", "BTC_USDT-1m.csv",
    ]  # fmt: skip
    assert shown["newest"][-1] == {
        "open_ms": T0 + 149 * M, "open": "100", "high": "101", "low": "99", "close": "101",
        "volume": "2.0",
    }  # fmt: skip


def test_a_bar_that_differs_is_refused_by_name_and_nothing_is_written(
    workspace: Workspace,
    local: Local,
) -> None:
    write(workspace.folder, range(10))
    assert local("data", "import", "BTC_USDT-1m.csv").returncode == 0
    before = workspace.tree()
    write(workspace.folder, range(5, 15), "other.csv", price=200)
    done = local("data", "import", "other.csv=BTC/USDT")
    assert done.returncode == 3
    assert "the bar of 2023-11-14 00:05:00 UTC is kept as 100 101 99 101" in done.stderr
    assert "--replace takes the new one" in done.stderr
    after = workspace.tree()
    assert {k: v for k, v in after.items() if "other" not in k} == before
    done = local("data", "import", "other.csv=BTC/USDT", "--replace", "--json")
    assert loads(done)["files"][0]["replaced"] == 5


def test_two_files_that_disagree_are_refused_before_anything_is_kept(
    workspace: Workspace, local: Local
) -> None:
    write(workspace.folder, range(10))
    write(workspace.folder, range(9, 12), "other.csv", price=200)
    words = ("data", "import", "BTC_USDT-1m.csv", "other.csv=BTC/USDT", "--replace")
    done = local(*words)
    assert done.returncode == 3
    assert "other.csv has 200" in done.stderr
    assert kept(workspace.folder) == []


MISTAKES: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no such file": (("import", "none.csv"), 3, "none.csv does not exist"),
    "no symbol": (("import", "x.csv"), 3, "does not say which instrument it is"),
    "a future": (("import", "x.csv=BTC/USDT:USDT"), 2, "only spot is traded"),
    "no tick": (("import", "x.csv=BTC/USDT", "--tick", "0"), 2, "'0' is no step of a price"),
    "a strange timeframe": (
        ("import", "x.csv=BTC/USDT", "--timeframe", "7m"), 3, "timeframe '7m' is not known",
    ),
    "trades of no length": (("import", "x.csv=A/B", "--trades"), 2, "--timeframe"),
    "nothing kept": (("show", "ETH/USDT"), 3, "no bars of ETH/USDT are kept"),
    "no pair": (("show", "ETHUSDT"), 2, "'ETHUSDT' is no pair"),
    "nothing to check": (("check", "ETH/USDT"), 3, "no bars of ETH/USDT are kept"),
    "no file to check": (("check", "nix.csv"), 3, "nix.csv does not exist"),
    "no percentage": (("check", "x.csv=A/B", "--threshold", "101"), 2, "no percentage"),
    "no picture": (("check", "x.csv=A/B", "--picture", "a.gif"), 2, "a.gif is no SVG file"),
    "a range twice": (
        ("fetch", "--since", "2024-01-01", "--timerange", "20240101-"), 2, "give one of them",
    ),
    "a reversed range": (
        ("fetch", "--since", "2024-01-02", "--until", "2024-01-01"), 2, "is not after --since",
    ),
    "an empty range": (("fetch", "--timerange", "20240101-20240101"), 2, "is empty"),
    "no time": (("fetch", "--since", "yesterday"), 2, "'yesterday' is not a time"),
    "no timeframe": (("fetch", "--timeframe", "7m"), 2, "timeframe '7m' is not known"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_one_sentence_and_leave_nothing(
    workspace: Workspace,
    mistake: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, code, said = MISTAKES[mistake]
    write(workspace.folder, range(10), "x.csv")
    monkeypatch.chdir(workspace.folder)
    assert run(["data", *words]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("trader: ")
    assert err.count("\n") == 1
    assert kept(workspace.folder) == []
    assert not list(workspace.folder.rglob("*.part"))


def test_a_damaged_file_is_named_and_hides_no_other(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace.folder)
    for name in ("BTC_USDT-1m.csv", "ETH_USDT-1m.csv"):
        assert run(["data", "import", write(workspace.folder, range(9), name)]) == 0
    place = workspace.folder / "state" / "bars" / "BTC_USDT-1m.bars"
    place.write_bytes(place.read_bytes()[:-1])
    capsys.readouterr()
    assert run(["data", "list", "--json"]) == 3
    out, err = capsys.readouterr()
    assert [row["symbol"] for row in json.loads(out)["kept"]] == ["ETH/USDT"]
    assert f"the kept bars {place} are damaged: it has" in err
    for words in (["show", "BTC/USDT"], ["check", "BTC/USDT"], ["import", "BTC_USDT-1m.csv"]):
        assert run(["data", *words]) == 3
        assert "are damaged" in capsys.readouterr().err


def test_columns_that_no_header_names_may_be_named(workspace: Workspace, local: Local) -> None:
    rows = [f"{T0 + n * M},100,{100 + n % 2},101,99,2" for n in range(30)]
    (workspace.folder / "BTC_USDT-1m.csv").write_text("\n".join(rows) + "\n")
    words = ("--columns", "time,open,close,high,low,volume", "--json")
    done = local("data", "check", "BTC_USDT-1m.csv", *words)
    assert (done.returncode, loads(done)["bars"]) == (0, 30)
    done = local("data", "import", "BTC_USDT-1m.csv", *words)
    assert loads(done)["files"][0]["added"] == 30
    shown = loads(local("data", "show", "BTC/USDT", "--json"))
    assert (shown["newest"][-1]["close"], shown["newest"][-1]["high"]) == ("101", "101")


def test_a_disk_that_fills_leaves_what_was_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace.folder)
    write(workspace.folder, range(100))
    assert run(["data", "import", "BTC_USDT-1m.csv"]) == 0
    before = workspace.tree()
    write(workspace.folder, range(100, 150))
    changed = workspace.tree()["BTC_USDT-1m.csv"]
    true_write = os.write
    for writes in range(3):
        left = [writes]

        def full(descriptor: int, data: bytes, left: list[int] = left) -> int:
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= 1
            return true_write(descriptor, data)

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            code = run(["data", "import", "BTC_USDT-1m.csv"])
        assert code == 10
        assert "No space left on device" in capsys.readouterr().err
        assert workspace.tree() == {**before, "BTC_USDT-1m.csv": changed}
    assert run(["data", "import", "BTC_USDT-1m.csv"]) == 0


def test_a_back_test_is_the_same_parsed_mapped_kept_and_after_damage(
    workspace: Workspace,
    made_bars: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(workspace.folder)
    words = ["backtest", "--bars", str(made_bars[0]), "--json", "--no-save"]

    def report(asked: list[str]) -> tuple[str, str]:
        assert run(asked) == 0
        read = capsys.readouterr()
        return read.out, read.err

    parsed, _ = report(words)
    (place,) = (workspace.folder / "state" / "cache" / "bars").glob("*.bars")
    mapped, said = report(words)
    assert mapped == parsed
    assert "dropped" not in said
    data = bytearray(place.read_bytes())
    data[-100] ^= 1
    place.write_bytes(data)
    anew, said = report(words)
    assert anew == parsed
    assert f"bar cache: {place.name} was dropped and is made anew: column 5" in said
    assert run(["data", "import", str(made_bars[0])]) == 0
    capsys.readouterr()
    ((symbol, _),) = kept(workspace.folder)
    from_kept, _ = report(["backtest", "--pairs", symbol, *words[3:]])
    assert from_kept == parsed


def test_kept_bars_do_without_a_policy_and_go_where_it_is_said(
    tmp_path: Path, local: Local
) -> None:
    write(tmp_path, range(10))
    assert local("data", "import", "BTC_USDT-1m.csv").returncode == 0
    assert kept(tmp_path) == [("BTC/USDT", "1m")]
    done = local("data", "import", "BTC_USDT-1m.csv", "--state-dir", "other")
    assert done.returncode == 0
    assert BarStore(tmp_path / "other" / "bars").held() == [("BTC/USDT", "1m")]


def test_a_policy_says_where_the_state_is(workspace: Workspace, local: Local) -> None:
    with (workspace.folder / "config" / "app.yaml").open("a") as policy:
        policy.write("\nstate_dir: elsewhere\n")
    write(workspace.folder, range(10))
    done = local("data", "import", "BTC_USDT-1m.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert Path(loads(done)["store"]) == workspace.folder / "elsewhere" / "bars"


def test_check_says_how_good_bars_are_and_draws_them(workspace: Workspace, local: Local) -> None:
    rows = [*range(100), *range(104, 200)]
    text = "".join(f"{T0 + n * M},100,101,99,{100 + n % 2},2\n" for n in rows)
    (workspace.folder / "BTC_USDT-1m.csv").write_text(HEADER + text)
    words = ("data", "check", "BTC_USDT-1m.csv", "--picture", "bars.svg")
    done = local(*words, "--json")
    assert done.returncode == 0, done.stderr
    row = loads(done)
    assert (row["bars"], row["expected"], row["missing"]) == (196, 200, 4)
    assert (row["completeness_ppm"], row["score"], row["sound"]) == (980_000, "98.0", True)
    assert row["gaps"] == {"count": 1, "longest": [{"from_ms": T0 + 100 * M, "bars": 4}]}
    tree = ET.fromstring((workspace.folder / "bars.svg").read_text())
    texts = [found.text for found in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert "BTC/USDT 1m: score 98.0 of 100" in texts
    assert "196 of 200 bars, 1 gaps, 0 outliers" in texts
    assert (
        "http" not in (workspace.folder / "bars.svg").read_text().replace("www.w3.org", "", 1)[60:]
    )
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}polyline"))) == 2
    plain = local(*words).stdout
    assert max(map(len, plain.splitlines())) <= 80
    assert "98.00 % of 200 are there" in plain


def test_check_ends_with_3_below_the_threshold(workspace: Workspace, local: Local) -> None:
    rows = [*range(100), *range(110, 200)]
    text = "".join(f"{T0 + n * M},100,101,99,{100 + n % 2},2\n" for n in rows)
    (workspace.folder / "BTC_USDT-1m.csv").write_text(HEADER + text)
    for threshold, code in (("95", 0), ("95.01", 3), ("100", 3), ("0", 0)):
        done = local("data", "check", "BTC_USDT-1m.csv", "--threshold", threshold)
        assert done.returncode == code
        assert ("% complete, below" in done.stderr) == (code == 3)
    assert local("data", "import", "BTC_USDT-1m.csv").returncode == 0
    done = local("data", "check", "BTC/USDT", "--threshold", "96", "--json")
    assert done.returncode == 3
    assert loads(done)["missing"] == 10


def test_check_tells_all_of_what_is_wrong_with_a_broken_file(
    workspace: Workspace, local: Local
) -> None:
    lines = [f"{T0 + n * M},100,101,99,100,2" for n in range(60)]
    lines[20] = f"{T0 + 20 * M},nan,101,99,100,2"
    lines[30] = f"{T0 + 30 * M},100,90,99,100,2"
    lines += lines[40:50]
    (workspace.folder / "BTC_USDT-1m.csv").write_text(HEADER + "\n".join(lines) + "\n")
    done = local("data", "check", "BTC_USDT-1m.csv", "--json")
    assert done.returncode == 3
    row = loads(done)
    names = ("unreadable", "impossible", "backward_steps", "repeated", "overlaps", "bars")
    assert [row[name] for name in names] == [1, 1, 1, 10, 1, 58]
    assert not row["readable"]
    assert "BTC_USDT-1m.csv:22" in row["why"]
    assert row["examples"]["impossible"] == ["line 32: open high low close 100 90 99 100"]
    assert "impossible bars: line 32" in local("data", "check", "BTC_USDT-1m.csv").stdout


def test_bars_from_the_future_will_not_do(workspace: Workspace, local: Local) -> None:
    start = (int(time.time()) // 60 + 60) * 60_000
    text = "".join(f"{start + n * M},100,101,99,100,2\n" for n in range(5))
    (workspace.folder / "BTC_USDT-1m.csv").write_text(HEADER + text)
    done = local("data", "check", "BTC_USDT-1m.csv", "--json")
    assert done.returncode == 3
    assert loads(done)["future"] == 5
    assert "5 bars close after now" in done.stderr


def test_trades_become_bars(workspace: Workspace, local: Local) -> None:
    lines = ["time,price,amount", f"{T0},10,1", f"{T0 + 5},12,2", f"{T0 + 3 * M},11,4"]
    (workspace.folder / "trades.csv").write_text("\n".join(lines) + "\n")
    words = ("data", "import", "--trades", "--timeframe", "1m", "trades.csv=A/B", "--json")
    (row,) = loads(local(*words))["files"]
    assert (row["trades"], row["rows"], row["timeframe"]) == (3, 2, "1m")


def test_history_is_fetched_listed_and_gone_on_with(exchange: Workspace) -> None:
    since = str(exchange.first_ms - WARM * M)
    words = ("data", "fetch", "--timeframe", "1m", "--now", exchange.now(0))
    done = exchange.trader(*words, "--since", since, "--json")
    assert done.returncode == 0, done.stderr
    rows = loads(done)["pairs"]
    assert [row["symbol"] for row in rows] == ["BTC/USDT", "ETH/USDT"]
    assert all(row["added"] == row["bars"] > 0 for row in rows)
    again = loads(exchange.trader(*words, "--json"))["pairs"]
    assert [row["added"] for row in again] == [0, 0]
    words = ("data", "fetch", "--timeframe", "1m", "--now", exchange.now(7), "--json")
    more = loads(exchange.trader(*words, "--pairs", "BTC/USDT"))["pairs"]
    assert [row["added"] for row in more] == [7]
    listed = loads(exchange.trader("data", "list", "--json"))["kept"]
    assert [row["symbol"] for row in listed] == ["BTC/USDT", "ETH/USDT"]
    table = exchange.trader("data", "fetch", "--timeframe", "1m", "--now", exchange.now(8)).stdout
    assert re.search(r"ETH/USDT +1m +1 +8 +0 +0 ", table)


def test_an_unlisted_pair_and_a_venue_that_is_down_have_their_codes(exchange: Workspace) -> None:
    assert exchange.admin is not None
    words = ("data", "fetch", "--since", str(exchange.first_ms - 60 * M), "--now", exchange.now(0))
    done = exchange.trader(*words, "--pairs", "NO/USDT")
    assert (done.returncode, "NO/USDT is not listed" in done.stderr) == (5, True)
    exchange.admin.faults([{"path": ".*klines", "action": "html_502"}])
    done = exchange.trader(*words, "--pairs", "BTC/USDT")
    assert done.returncode == 4, done.stderr
    exchange.admin.clear_faults()
    assert exchange.trader(*words, "--pairs", "BTC/USDT").returncode == 0


def test_a_pair_that_is_refused_does_not_keep_the_others_out(exchange: Workspace) -> None:
    since = str(exchange.first_ms - 60 * M)
    words = ("data", "fetch", "--timeframe", "1m", "--since", since, "--now", exchange.now(0))
    done = exchange.trader(*words, "--pairs", "NO/USDT,BTC/USDT", "--json")
    assert done.returncode == 5
    rows = json.loads(done.stdout)["pairs"]
    assert [row["bars"] for row in rows] == [0, 60]
    assert "NO/USDT is not listed" in rows[0]["error"]
    assert rows[1]["error"] == ""
    assert "NO/USDT is not listed" in done.stderr


def test_ctrl_c_ends_with_130_and_the_next_run_goes_on(exchange: Workspace) -> None:
    assert exchange.admin is not None
    exchange.admin.faults([{"path": ".*klines", "action": {"name": "hold", "gate": "wait"}}])
    words = ("data", "fetch", "--since", str(exchange.first_ms - 60 * M), "--now", exchange.now(0))
    process = subprocess.Popen(
        [sys.executable, "-m", "trader", *words, "--pairs", "BTC/USDT"],
        cwd=exchange.folder, env={**exchange.env, "HOME": str(exchange.folder)},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        while not exchange.admin.held():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "interrupted: each page that came is kept" in said
    exchange.admin.clear_faults()
    exchange.admin.release("wait")
    done = exchange.trader(*words, "--pairs", "BTC/USDT", "--json")
    assert json.loads(done.stdout)["pairs"][0]["bars"] > 0


@pytest.mark.parametrize("command", ["import", "fetch", "list", "show", "check"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["data", command, "--help"]) == 0
    assert f"Usage: trader data {command}" in capsys.readouterr().out

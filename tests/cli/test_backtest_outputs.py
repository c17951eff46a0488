"""Where a report goes when the disk, the place or the words are not as they should be, and what a
run over kept bars imports."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .test_light_path import modules_after
from .workspace import Workspace, loads

# What no run over bars needs: packages that cost more time to load than a million bars to decide.
HEAVY = frozenset(
    {
        "ccxt", "numba", "numpy", "pandas", "PIL", "polars", "pyarrow", "pydantic", "requests",
        "rich", "sqlite3", "sqlite_utils", "typer", "click", "urllib3", "yaml", "asyncio",
        "importlib.metadata", "http.client", "email.parser", "multiprocessing",
        "trader.app.report_html", "trader.app.report_png", "trader.app.strategy_check",
    }
)  # fmt: skip
# Files may become no larger than this.
LIMITED = """
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
from trader.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


def limited(workspace: Workspace, size: int, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process whose files cannot grow: as on a disk that is full. It keeps no
    bytecode, which would be cut as well."""
    return workspace.python("-B", "-c", LIMITED.format(size=size), *words)


def test_a_run_over_kept_bars_imports_nothing_heavy(
    workspace: Workspace, made_bars: list[Path]
) -> None:
    words = ("backtest", "--bars", str(made_bars[0]))
    for _ in range(3):  # the policy is checked, the bars are parsed, the file's verdict is kept
        assert workspace.trader(*words).returncode == 0
    modules = modules_after(workspace, *words)
    assert not HEAVY & modules, sorted(HEAVY & modules)
    assert "trader.app.backtest" in modules


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--html", "page.html"), "page.html"),
        (("--csv", "out"), "out"),
        ((), "state/backtests"),
    ],
)
def test_a_disk_that_fills_is_one_sentence_and_leaves_nothing_half_written(
    workspace: Workspace,
    made_bars: list[Path],
    words: tuple[str, ...],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(variable, raising=False)  # it would write its own files, and complain
    bars = ("backtest", "--bars", str(made_bars[0]))
    assert workspace.trader(*bars, "--no-save").returncode == 0  # caches are warm
    before = workspace.tree()
    save = () if name.startswith("state") else ("--no-save",)
    done = limited(workspace, 1_000, *bars, *words, *save)
    assert done.returncode == 10, done.stderr
    place = f"trader: cannot write {workspace.folder if name.startswith('state') else ''}"
    assert done.stderr.startswith(place.rstrip() + ("/" if save == () else " ") + name), done.stderr
    assert "make room or give write access" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith("Back-test of BTC/USDT"), "the report was shown before"
    left = {known for known in set(workspace.tree()) - set(before) if "cache" not in known}
    assert left <= {"out/fills.csv", "out/round_trips.csv", "out/equity_daily.csv"}
    for small in left:  # what found room is whole
        assert (workspace.folder / small).read_text().endswith("\n")


def test_a_full_disk_spares_the_page_that_was_there(
    workspace: Workspace, made_bars: list[Path]
) -> None:
    page = workspace.folder / "page.html"
    page.write_text("the page of yesterday")
    words = ("backtest", "--bars", str(made_bars[0]), "--no-save", "--html", "page.html")
    assert limited(workspace, 1_000, *words).returncode == 10
    assert page.read_text() == "the page of yesterday"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--html", "absent/page.html"), "--html absent/page.html: its folder does not exist"),
        (("--png", "config"), "--png config: it is a folder"),
        (("--csv", "config/app.yaml"), "--csv config/app.yaml is a file"),
        (("--timerange", "20240102-20240101"), "ends before it starts"),
        (("--timerange", "20240101-20240101"), "is empty"),
        (("--pairs", "BTC/USDT"), "--bars and --pairs both name BTC/USDT"),
        (("--pairs", "BTC/USDT:USDT"), "did you mean BTC/USDT"),
    ],
)
def test_what_cannot_work_is_said_before_the_run(
    workspace: Workspace, made_bars: list[Path], words: tuple[str, ...], says: str
) -> None:
    path = str(made_bars[0])
    assert workspace.trader("data", "import", path).returncode == 0
    done = workspace.trader("backtest", "--bars", path, *words)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (workspace.folder / "state" / "backtests").exists()


@pytest.mark.parametrize("words", [("--timerange", "20300101-"), ("--timerange", "-20100101")])
def test_a_range_outside_the_bars_is_missing_data(
    workspace: Workspace, made_bars: list[Path], words: tuple[str, ...]
) -> None:
    done = workspace.trader("backtest", "--bars", str(made_bars[0]), *words)
    assert done.returncode == 3, done.stderr
    assert "no bar lies in the asked time range" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_bars_it_is_said_how_to_name_some(workspace: Workspace) -> None:
    done = workspace.trader("backtest")
    assert done.returncode == 2
    assert "name a file with --bars FILE, or kept bars with --pairs PAIR" in done.stderr


def test_a_pair_without_kept_bars_is_missing_data(workspace: Workspace) -> None:
    done = workspace.trader("backtest", "--pairs", "DOGE/USDT")
    assert done.returncode == 3, done.stderr
    assert "DOGE/USDT" in done.stderr
    assert done.stderr.count("\n") == 1


def test_kept_bars_give_the_result_of_their_file(
    workspace: Workspace, made_bars: list[Path]
) -> None:
    path = str(made_bars[0])
    assert workspace.trader("data", "import", path).returncode == 0
    by_file = loads(workspace.trader("backtest", "--bars", path, "--json", "--no-save"))
    by_pair = loads(workspace.trader("backtest", "--pairs", "btc-usdt", "--json", "--no-save"))
    assert by_pair["round_trips"] == by_file["round_trips"]
    assert by_pair["metrics"] == by_file["metrics"]


def test_a_picture_without_its_package_is_said_before_anything_runs(
    workspace: Workspace, made_bars: list[Path]
) -> None:
    done = workspace.without("PIL", "backtest", "--bars", str(made_bars[0]), "--png", "run.png")
    assert done.returncode == 2
    assert "--png needs Pillow, which is not installed" in done.stderr
    assert not (workspace.folder / "state" / "backtests").exists()


def test_a_picture_is_drawn_the_same_each_time(workspace: Workspace, made_bars: list[Path]) -> None:
    pytest.importorskip("PIL", reason="the extra `png` is not installed")
    words = ("backtest", "--bars", str(made_bars[0]), "--png", "run.png")
    done = workspace.trader(*words)
    assert done.returncode == 0, done.stderr
    first = (workspace.folder / "run.png").read_bytes()
    assert first.startswith(b"\x89PNG\r\n")
    assert workspace.trader(*words).returncode == 0
    assert (workspace.folder / "run.png").read_bytes() == first


def test_ctrl_c_in_the_middle_ends_with_130_and_leaves_nothing(
    workspace: Workspace, made_bars: list[Path]
) -> None:
    """The signal comes when the first line of progress would be written."""
    code = (
        "import os, signal, sys\n"
        "from trader.cli import progress\n"
        "from trader.cli.main import run\n"
        "class Pressing:\n"
        "    pressed = False\n"
        "    def write(self, text):\n"
        "        if not self.pressed:\n"
        "            self.pressed = True\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "    def flush(self):\n"
        "        pass\n"
        "    def isatty(self):\n"
        "        return False\n"
        "progress.PATIENCE_S = progress.EACH_S = 0.0\n"
        "kept, progress.sys.stderr = sys.stderr, Pressing()\n"
        "code = run(sys.argv[1:])\n"
        "sys.stderr = kept\n"
        "sys.exit(code)\n"
    )
    done = workspace.python("-c", code, "backtest", "--bars", str(made_bars[0]), "-v")
    assert done.returncode == 130, done.stderr
    assert done.stdout == ""
    backtests = workspace.folder / "state" / "backtests"
    assert not backtests.exists() or not list(backtests.iterdir())

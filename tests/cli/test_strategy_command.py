"""`trader strategy new | list | check | explain` as the installed command says it."""

from __future__ import annotations

import pytest

from trader.cli.strategy_texts import FILE, FILE_ENTRY, RULES_ENTRY

from .workspace import Workspace, loads

CHEAT = FILE.replace("bars.close[i] < trend[i] for", "bars.close[min(i + 1, n - 1)] < 100 for")


def entry(text: str, name: str) -> str:
    """An entry of strategies.yaml on the workspace's instrument."""
    return text.format(name=name)


def test_a_new_file_and_its_entry_are_a_strategy_that_passes(workspace: Workspace) -> None:
    done = workspace.trader("strategy", "new", "swing")
    assert (done.returncode, done.stderr) == (0, "")
    path = workspace.folder / "config" / "strategies" / "swing.py"
    assert path.read_text(encoding="utf-8") == FILE.format(name="swing")
    with (workspace.folder / "config" / "strategies.yaml").open("a", encoding="utf-8") as file:
        file.write(done.stdout)
    assert workspace.trader("policy", "check").returncode == 0
    (row,) = loads(workspace.trader("strategy", "check", "swing", "--json"))
    assert (row["name"], row["code"], row["warmup"], row["refused"]) == ("swing", "", 140, False)
    assert row["evaluations"] > 500
    rows = {row["name"]: row for row in loads(workspace.trader("strategy", "list", "--json"))}
    assert rows["swing"]["verdict"] == "passed"
    assert rows["swing"]["state"] == "shadow"
    assert rows["swing"]["from"] == "swing.py"


def test_new_rules_are_printed_and_are_a_strategy(workspace: Workspace) -> None:
    before = workspace.tree()
    done = workspace.trader("strategy", "new", "swing", "--rules")
    assert done.returncode == 0
    assert workspace.tree() == before
    with (workspace.folder / "config" / "strategies.yaml").open("a", encoding="utf-8") as file:
        file.write(done.stdout)
    told = loads(workspace.trader("strategy", "explain", "swing", "--json"))
    assert told["from"] == "rules"
    rules = {rule["output"]: rule for rule in told["rules"]}
    assert rules["enter"]["warmup"] == 49
    assert rules["enter"]["exact"] is True
    assert rules["stop"]["indicators"] == {"atr(14)": "fading"}
    assert [(p["name"], p["value"]) for p in told["parameters"]] == [
        ("entry", "20"),
        ("trend", "50"),
    ]
    assert all("strategies.yaml:" in p["origin"] for p in told["parameters"])


def test_a_file_that_is_there_is_never_written_over(workspace: Workspace) -> None:
    workspace.trader("strategy", "new", "swing")
    before = workspace.tree()
    done = workspace.trader("strategy", "new", "swing")
    assert done.returncode == 2
    assert done.stderr == (
        "trader: config/strategies/swing.py is there already; choose another name\n"
    )
    assert workspace.tree() == before


@pytest.mark.parametrize("name", ["Swing", "a-b", "../x", "a__b", "_a", "9a", "a" * 33])
def test_a_name_is_as_in_the_policy(workspace: Workspace, name: str) -> None:
    done = workspace.trader("strategy", "new", "--", name)
    assert done.returncode == 2
    assert f"{name!r} is not a name" in done.stderr


def test_a_cheat_is_refused_by_check_policy_check_and_backtest(workspace: Workspace) -> None:
    text = CHEAT.format(name="cheat")
    (workspace.folder / "config" / "strategies" / "cheat.py").write_text(text, encoding="utf-8")
    with (workspace.folder / "config" / "strategies.yaml").open("a", encoding="utf-8") as file:
        file.write(entry(FILE_ENTRY, "cheat"))
    done = workspace.trader("strategy", "check", "cheat")
    assert done.returncode == 2
    assert "LOOKS_AHEAD" in done.stdout
    assert "exit of the bar 20" in " ".join(done.stdout.split())
    found = workspace.trader("policy", "check")
    assert found.returncode == 2
    assert "strategy cheat is refused: LOOKS_AHEAD: " in found.stderr
    rows = ["timestamp_ms,open,high,low,close,volume"]
    rows += [f"{1_700_006_400_000 + i * 3_600_000},100,101,99,100,5" for i in range(600)]
    (workspace.folder / "bars.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    run = workspace.trader("backtest", "--bars", "bars.csv=BTC/USDT")
    assert (run.returncode, run.stdout) == (2, "")
    assert "strategy cheat is refused: LOOKS_AHEAD: " in run.stderr
    told = loads(workspace.trader("strategy", "explain", "cheat", "--json"))
    assert told["check"]["code"] == "LOOKS_AHEAD"
    assert told["check"]["column"] == "exit"


def test_a_file_by_itself_is_checked_with_its_own_numbers(workspace: Workspace) -> None:
    path = workspace.folder / "mine.py"
    path.write_text(FILE.format(name="mine"), encoding="utf-8")
    done = workspace.trader("strategy", "check", "mine.py", "--timeframe", "1d")
    assert (done.returncode, done.stderr) == (0, "")
    assert "mine" in done.stdout
    path.write_text("PARAMETERS = {}\nprint('hello')\n", encoding="utf-8")
    done = workspace.trader("strategy", "check", "mine.py")
    assert done.returncode == 2
    assert "mine printed: hello" in done.stderr
    path.chmod(0o666)
    done = workspace.trader("strategy", "check", "mine.py")
    assert done.returncode == 2
    assert "everyone may write it" in done.stderr


def test_what_is_not_there_is_named(workspace: Workspace) -> None:
    done = workspace.trader("strategy", "explain", "demo_cros")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "trader: strategy 'demo_cros' is not in the policy; did you mean demo_cross\n"
    )
    done = workspace.trader("strategy", "check", "nowhere.py")
    assert done.returncode == 2
    assert "is missing" in done.stderr


def test_tables_fit_eighty_columns(workspace: Workspace) -> None:
    with (workspace.folder / "config" / "strategies.yaml").open("a", encoding="utf-8") as file:
        file.write(entry(RULES_ENTRY, "by_rules"))
    for words in (("list",), ("explain", "by_rules"), ("explain", "demo_cross"), ("check",)):
        done = workspace.trader("strategy", *words)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
        assert max(len(line.rstrip()) for line in done.stdout.splitlines()) <= 80


def test_a_backtest_goes_on_without_a_strategy_that_fails_and_says_why(
    workspace: Workspace,
) -> None:
    path = workspace.folder / "config" / "strategies" / "demo_cross.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("def signals(bars, p):", "def signals(bars, p):\n    1 / 0", 1))
    rows = ["timestamp_ms,open,high,low,close,volume"]
    rows += [f"{1_700_006_400_000 + i * 60_000},100,101,99,100,5" for i in range(800)]
    (workspace.folder / "bars.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = workspace.trader("backtest", "--bars", "bars.csv=BTC/USDT")
    assert done.returncode == 0
    said = " ".join(done.stdout.split())
    assert (
        "Strategy demo_cross failed and was not asked again: "
        "STRATEGY_FAILED in=signals error=ZeroDivisionError"
    ) in said

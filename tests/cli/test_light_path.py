"""The light path reads options as typer does, and imports nothing heavy."""

from __future__ import annotations

import json

import pytest
from typer.main import get_command

from trader.cli.options import LIGHT, OPTIONS, parse_light
from trader.cli.tree import build_app

from .workspace import Workspace

HEAVY = frozenset(
    {
        *(
            "pandas",
            "numpy",
            "numba",
            "polars",
            "sqlite_utils",
            "pydantic",
            "yaml",
            "rich",
            "typer",
        ),
        *("zoneinfo", "tzdata"),
    }
)

# Parts of the core and of the use cases that another command needs, and what they would bring.
OTHERS = frozenset(
    {
        "trader.core.simulate", "trader.core.history", "trader.app.backtest",
        "trader.app.strategy_check", "trader.app.replay", "multiprocessing", "asyncio",
    }
)  # fmt: skip


def by_typer(argv: list[str]) -> dict[str, object]:
    command = get_command(build_app()).commands[argv[0]]
    params = dict(command.make_context(argv[0], list(argv[1:])).params)
    return {name: value for name, value in params.items() if name in LIGHT[argv[0]]}


@pytest.mark.parametrize(
    "argv",
    [
        ["cycle"],
        ["cycle", "-c", "a", "--config", "b", "--config=c"],
        ["cycle", "-c", "-"],
        ["cycle", "--now", "2024-01-31T12:00", "--dry-run", "--json"],
        ["cycle", "--now=1700000000", "--state-dir", "x y"],
        ["cycle", "-v", "-v", "--verbose"],
        ["cycle", "--state-dir="],
        ["status"],
        ["status", "--json", "--watch", "-v"],
        ["status", "--state-dir", "s", "--state-dir", "t"],
        ["backtest"],
        ["backtest", "--bars", "a", "--bars=b", "--fee", "2", "--json", "--no-save"],
    ],
)
def test_both_parsers_read_the_same(argv: list[str]) -> None:
    light = parse_light(argv)
    assert light is not None
    assert light == (argv[0], by_typer(argv))


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["backtest", "list"],
        ["cycle", "--help"],
        ["cycle", "-h"],
        ["cycle", "-vv"],
        ["cycle", "-cfolder"],
        ["cycle", "--bogus"],
        ["cycle", "extra"],
        ["cycle", "--now"],
        ["cycle", "--now", "--json"],
        ["cycle", "--json=yes"],
        ["cycle", "--watch"],
        ["status", "--now", "5"],
        ["-c", "x", "cycle"],
    ],
)
def test_what_is_unusual_is_left_to_typer(argv: list[str]) -> None:
    assert parse_light(argv) is None


def test_every_light_option_is_in_the_one_table() -> None:
    tree = get_command(build_app())
    for command, names in LIGHT.items():
        params = {param.name: param for param in tree.commands[command].params}
        params.pop("help", None)
        assert set(params) == set(names)
        for name in names:
            assert sorted(params[name].opts) == sorted(OPTIONS[name].flags)


def modules_after(workspace: Workspace, *words: str) -> set[str]:
    """What a command imports, besides what this interpreter starts with (when it is measured,
    that is more than nothing)."""
    code = (
        "import json, sys\n"
        "from trader.cli.main import run\n"
        "code = run(sys.argv[1:])\n"
        "assert code == 0, code\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = workspace.python("-c", code, *words)
    assert done.returncode == 0, done.stderr
    bare = workspace.python("-c", "import json, sys; print(json.dumps(sorted(sys.modules)))")
    return set(json.loads(done.stdout.splitlines()[-1])) - set(json.loads(bare.stdout))


def test_a_cycle_imports_one_exchange_class_and_nothing_heavy(exchange: Workspace) -> None:
    words = ("cycle", "-c", "config", "--now")
    files = len(list((exchange.folder / "config" / "strategies").glob("*.py")))
    for minute in range(6):  # a host that is busy may not come to a verdict at once
        assert exchange.trader(*words, exchange.now(minute)).returncode == 0
        verdicts = list((exchange.folder / "state" / "cache").glob("strategy-*.json"))
        if len(verdicts) >= files:
            break
    modules = modules_after(exchange, *words, exchange.now(minute + 1))
    assert not (HEAVY | OTHERS) & modules, sorted((HEAVY | OTHERS) & modules)
    classes = {name for name in modules if name.startswith("ccxt.") and name.count(".") == 1}
    assert classes - {"ccxt.base", "ccxt.abstract", "ccxt.static_dependencies"} == {"ccxt.binance"}
    assert "trader.exchange.engine" not in modules


def test_status_imports_no_venue_and_nothing_heavy(exchange: Workspace) -> None:
    assert exchange.trader("cycle", "--now", exchange.now(0)).returncode == 0
    modules = modules_after(exchange, "status")
    assert not HEAVY & modules
    assert not {name for name in modules if name.startswith(("ccxt", "requests", "trader.venues"))}

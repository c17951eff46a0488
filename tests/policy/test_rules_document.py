"""docs/rules.md is run: every rule on it parses, every table is what the evaluator computes."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from trader.bars.resample import resample
from trader.core.frames import Frames, readings
from trader.core.indicator_table import INDICATORS
from trader.core.rules import bind
from trader.core.series import Series, build_series
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy.checking import examine
from trader.policy.problems import Code
from trader.policy.rules_compile import RulesResult, compile_rules
from trader.policy.rules_vocabulary import FOREIGN, FUNCTIONS

from .conftest import FindSources

PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
HOUR_MS = 3_600_000
# Midnight UTC of a Monday: the first bar of every table opens a 4h bar, a day and a week.
START_MS = 1_577_664_000_000
TICK = Decimal("0.01")
RULES = re.findall(r"```rule\n(.*?)```\n((?:\|[^\n]*\n)*)", PAGE, re.DOTALL)
WORKED = [(text.strip(), table) for text, table in RULES if table]
YAML = re.findall(r"```yaml\n# (\w+)\.yaml\n(.*?)```", PAGE, re.DOTALL)


def compiled(text: str) -> tuple[str, RulesResult]:
    """The rule as a condition, or as a series where it is one, and by which output."""
    for output in ("enter", "strength"):
        result = compile_rules({output: text}, parameters={}, triggers={}, own_timeframe="1h")
        if [problem.code for problem in result.problems] != [Code.RULE_RESULT]:
            return output, result
    raise AssertionError(text)


def rows_of(table: str) -> dict[str, list[str]]:
    lines = [line.strip("|").split("|") for line in table.splitlines()]
    cells = [[cell.strip() for cell in line] for line in lines]
    assert cells[0] == ["bar", *map(str, range(1, len(cells[0])))]
    assert set(cells[1]) == {"---"}
    return {row[0]: row[1:] for row in cells[2:]}


def bars_of(rows: dict[str, list[str]]) -> Series:
    """Bars of 1h; what a table leaves out is the close, or what makes a bar possible."""
    close = rows.get("close") or rows.get("high") or ["10"] * len(rows["value"])

    def ticks(name: str, index: int) -> int:
        return int(Decimal(rows.get(name, close)[index]) / TICK)

    made: list[tuple[int, int, int, int, int, float]] = []
    for index in range(len(close)):
        first, last = ticks("open", index), int(Decimal(close[index]) / TICK)
        high = ticks("high", index) if "high" in rows else max(first, last)
        low = ticks("low", index) if "low" in rows else min(first, last)
        volume = float(rows["volume"][index]) if "volume" in rows else 1.0
        made.append((START_MS + index * HOUR_MS, first, high, low, last, volume))
    return build_series("BTC/USDT", HOUR_MS, TICK, made)


def computed(text: str, bars: Series) -> list[str]:
    output, result = compiled(text)
    bound = bind(result.program, {}, "1h", HOUR_MS)
    series = {("BTC/USDT", "1h"): bars}
    for frame in bound.frames[1:]:
        higher = resample(bars, TIMEFRAMES_MS[frame.timeframe])
        series[("BTC/USDT", frame.timeframe)] = higher
    # One anchor block over all bars: a table shows a rule from the first bar that exists.
    frames = Frames(series, bars.open_ms[-1] + HOUR_MS, 1_000_000)
    block = frames.block("BTC/USDT", bound.frames[0], bars.open_ms[-1])
    assert block is not None
    values = readings(block, bound)[output]
    return [told(value, flag=output == "enter") for value in values]


def told(value: Any, *, flag: bool) -> str:
    if flag:
        return {1: "yes", 0: "no", -1: "?"}[value]
    return "?" if isnan(value) else f"{value:g}"


def test_the_page_has_what_is_asked_of_it() -> None:
    assert len(RULES) > 35
    assert len(WORKED) > 30
    assert [name for name, _ in YAML] == ["strategies", "strategies", "signals"]


@pytest.mark.parametrize("text", [text for text, _ in RULES])
def test_every_rule_of_the_page_parses(text: str) -> None:
    _, result = compiled(text)
    assert not result.problems, str(result.problems[0])


@pytest.mark.parametrize(("text", "table"), WORKED)
def test_every_table_of_the_page_is_what_is_computed(text: str, table: str) -> None:
    rows = rows_of(table)
    assert computed(text, bars_of(rows)) == rows["value"]


def test_every_operator_and_function_has_a_worked_example() -> None:
    programs = [compiled(text)[1].program for text, _ in WORKED]
    ops = {node[0] for program in programs for node in program["nodes"]}
    assert ops == {
        "column", "number", "indicator", "back", "neg", "abs", "not", "add", "sub", "mul", "div",
        "min", "max", "gt", "ge", "lt", "le", "eq", "ne", "and", "or", "on", "any", "all",
        "crosses_above", "crosses_below", "rising", "falling",
    }  # fmt: skip
    for name in FUNCTIONS:
        assert f"\n### `{name}(" in PAGE


def test_the_indicators_of_unbounded_memory_are_named() -> None:
    for name, entry in INDICATORS.items():
        if entry.session:
            assert f"`{name}`" in PAGE


@pytest.mark.parametrize(("section", "text"), YAML)
def test_every_file_of_the_page_passes_the_check(
    section: str, text: str, sources_of: FindSources
) -> None:
    files = {section: text}
    if section == "signals":
        files["strategies"] = (
            "one:\n  enter: strong_breakout or breakout(length=bars)\n  stop: 5%\n"
            "  parameters: {bars: 30}\n"
        )
    checked, problems, warnings = examine(sources_of(**files), {})
    assert not problems, str(problems[0])
    assert not [w for w in warnings if w.code.startswith("RULE_")]
    assert checked is not None


def test_the_example_of_a_problem_is_what_is_printed() -> None:
    _, result = compiled("rsi(14) < 30 and clsoe > open")
    assert f"```\n{result.problems[0]}\n```" in PAGE


def test_the_table_of_other_bots_words_is_the_parser_s() -> None:
    table = dict(
        re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE[PAGE.index("| there | here |") :], re.MULTILINE)
    )
    assert table == FOREIGN


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("close > rsi(14)", "RULE_UNITS"),
        ("close > atr(14)", "RULE_UNITS"),
        ("rsi(14) < 0.3", "RULE_UNITS"),
        ("rsi(14) == 50", "RULE_EQUALITY"),
        ("rsi(14) > 120", "RULE_NEVER"),
        ("rsi(14) < 30 and rsi(14) > 70", "RULE_NEVER"),
        ("rsi(14) >= 0", "RULE_ALWAYS"),
    ],
)
def test_the_examples_of_warnings_are_warned_of(text: str, code: str) -> None:
    assert f"`{text}`" in PAGE
    assert [warning.code.name for warning in compiled(text)[1].warnings] == [code]

"""The two strategies that ship: what they say on bars worked by hand, and that they are causal."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

import trader
from trader.core.parameters import StrategyCode
from trader.core.strategy import load_strategy
from trader.policy.strategy_files import load_strategy_file

FOLDER = Path(trader.__file__).parent.parent / "config" / "strategies"
NAMES = ("ma_cross", "mean_reversion")


class Bars:
    """Closed bars as a strategy sees them: read-only columns."""

    def __init__(self, closes: Sequence[float], spread: float = 1.0) -> None:
        """Bars that open at the close before and reach `spread` beyond both."""
        opens = [closes[0], *closes[:-1]]
        self.open_ms = memoryview(array("q", range(len(closes)))).toreadonly()
        self.open = self._column(opens)
        self.close = self._column(closes)
        pairs = list(zip(opens, closes, strict=True))
        self.high = self._column([max(pair) + spread for pair in pairs])
        self.low = self._column([min(pair) - spread for pair in pairs])
        self.volume = self._column([1.0] * len(closes))

    @staticmethod
    def _column(values: Sequence[float]) -> memoryview[float]:
        return cast("memoryview[float]", memoryview(array("d", values)).toreadonly())

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.open_ms)


def _load(name: str) -> tuple[StrategyCode, dict[str, float | int]]:
    return load_strategy(name, load_strategy_file(FOLDER, f"{name}.py").text)


def _say(name: str, bars: Bars, **numbers: float) -> Mapping[str, list[Any]]:
    code, defaults = _load(name)
    columns = code.signals(bars, {**defaults, **numbers})
    return {key: list(column) for key, column in columns.items()}


def _walk(length: int, seed: int) -> list[float]:
    chance = random.Random(seed)
    price, prices = 100.0, list[float]()
    for _ in range(length):
        price *= 1.0 + chance.gauss(0.0, 0.01)
        prices.append(price)
    return prices


def test_the_cross_enters_on_the_edge_and_wants_out_on_the_level() -> None:
    # sma(2):   -   10  10   9   9   11  13  13  11   9
    # sma(4):   -   -   -  9.5 9.5  10  11 12.25 12   11
    closes = [10, 10, 10, 8, 10, 12, 14, 12, 10, 8]
    said = _say("ma_cross", Bars([float(c) for c in closes]), fast=2, slow=4, atr=2)
    assert [int(bool(x)) for x in said["enter"]] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert [int(bool(x)) for x in said["exit"]] == [0, 0, 0, 1, 1, 0, 0, 0, 1, 1]


def test_the_stop_is_a_multiple_of_the_average_true_range() -> None:
    # Each bar spans |close - close before| + 2 * 1: 2, 4, 4, 4, then Wilder's mean of two.
    said = _say("ma_cross", Bars([10.0, 12.0, 14.0, 12.0]), fast=1, slow=2, atr=2, stop_atr=2.5)
    assert math.isnan(said["stop"][0])
    assert math.isnan(said["stop"][1])
    assert said["stop"][2:] == [10.0, 10.0]


def test_mean_reversion_enters_once_below_the_band_and_leaves_at_the_mean() -> None:
    # n = 4, z at the fall: mean 9, deviation sqrt(3), z = -sqrt(3) = -1.73; next bar -1 (mean 8).
    closes = [10.0, 10.0, 10.0, 10.0, 6.0, 6.0, 10.0, 10.0]
    numbers = {"length": 4, "z_in": 1.5, "z_out": 0.0, "rsi": 2, "rsi_max": 35, "atr": 2}
    said = _say("mean_reversion", Bars(closes), **numbers)
    # Before the fall the deviation is 0 and z is not a number: nothing is entered out of that.
    assert [int(bool(x)) for x in said["enter"]] == [0] * 8
    closes[2] = 11.0
    # mean 9.25, deviation 1.92, z = -1.69 at the fall; before it z = -0.58.
    said = _say("mean_reversion", Bars(closes), **numbers)
    assert [int(bool(x)) for x in said["enter"]] == [0, 0, 0, 0, 1, 0, 0, 0]
    assert [int(bool(x)) for x in said["exit"]] == [0, 0, 0, 0, 0, 0, 1, 1]


def test_mean_reversion_heeds_its_rsi_filter() -> None:
    closes = [10.0, 10.0, 11.0, 10.0, 6.0, 6.0, 10.0, 10.0]
    numbers = {"length": 4, "z_in": 1.5, "rsi": 2, "atr": 2}
    # Wilder's RSI(2) at the fall: gains 1/2 then halved twice, 0.125; losses 0.5 and 4, 2.25.
    strength = 100.0 * 0.125 / (0.125 + 2.25)
    for rsi_max, entered in ((strength + 0.01, 1), (strength - 0.01, 0)):
        said = _say("mean_reversion", Bars(closes), rsi_max=rsi_max, **numbers)
        assert sum(map(bool, said["enter"])) == entered


@pytest.mark.parametrize("name", NAMES)
def test_a_longer_past_and_a_cut_future_change_nothing(name: str) -> None:
    closes = _walk(400, seed=7)
    whole = _say(name, Bars(closes))
    assert any(whole["enter"])
    assert any(whole["exit"])
    for end in range(150, 400, 37):
        cut = _say(name, Bars(closes[:end]))
        for key, column in cut.items():
            assert [repr(x) for x in column] == [repr(x) for x in whole[key][:end]], (key, end)


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_ready_at_the_warm_up(name: str) -> None:
    code, defaults = _load(name)
    warmup = code.warmup(defaults)
    said = _say(name, Bars(_walk(warmup + 5, seed=3)))
    assert all(not math.isnan(stop) for stop in said["stop"][warmup - 1 :])
    assert {len(column) for column in said.values()} == {warmup + 5}


@pytest.mark.parametrize("name", NAMES)
def test_the_warm_up_is_long_enough_that_an_older_start_flips_no_signal(name: str) -> None:
    code, defaults = _load(name)
    warmup = code.warmup(defaults)
    closes = _walk(1_500, seed=11)
    whole = _say(name, Bars(closes))
    flips = 0
    compared = 0
    for start in range(0, 1_000, 83):
        later = _say(name, Bars(closes[start:]))
        for key in ("enter", "exit"):
            old = [bool(x) for x in whole[key][start + warmup :]]
            new = [bool(x) for x in later[key][warmup:]]
            flips += sum(a != b for a, b in zip(old, new, strict=True))
            compared += len(old)
    assert compared > 10_000
    assert flips == 0


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("ma_cross", {"fast": 50, "slow": 20}),
        ("ma_cross", {"fast": 20, "slow": 20}),
        ("ma_cross", {"fast": 0}),
        ("mean_reversion", {"z_in": 1.0, "z_out": -1.0}),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    name: str, numbers: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="must be above"):
        _say(name, Bars(_walk(100, seed=1)), **numbers)

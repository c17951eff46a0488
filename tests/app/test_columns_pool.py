"""Columns by several processes: the very same, however the work is shared out."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import Any

import pytest

from tests.core.made import BTC, ETH, parameters, strategy
from tests.core.rule_made import cross_program
from tests.core.test_columns import from_file, levels_program, ruled
from tests.core.test_history import walk
from trader.app.columns_pool import columns_of, read, written
from trader.core.columns import PairColumns, build_columns, told_signals
from trader.core.own_reader import OwnSignals
from trader.core.parameters import StrategyCode

ADA = "ADA/USDT"
SYMBOLS = (BTC, ETH, ADA)
SPECS = (
    strategy("cross", *SYMBOLS, source=""),
    replace(strategy("levels", *SYMBOLS, source="", ttl_bars=3), scale_ppm=(500_000,)),
    strategy("file", BTC, ETH),
)
CODES = {
    "cross": ruled(cross_program(4, 9)),
    "levels": ruled(levels_program()),
    "file": StrategyCode(lambda _: 3, from_file),
}
POLICY = parameters(*SPECS, missing_ppm_max=150_000)
PAIRS = [(spec.name, symbol) for spec in SPECS for symbol in spec.symbols]
SERIES = {
    (symbol, "1m"): replace(walk(700, seed, 0.01), symbol=symbol)
    for seed, symbol in enumerate(SYMBOLS)
}
FIELDS = (
    "enters", "leaves", "plain", "offsets", "signals", "stop", "target", "trail", "arm", "even",
    "strength", "steps", "problems", "absent_code",
)  # fmt: skip


def said(columns: dict[tuple[str, str], PairColumns]) -> dict[Any, Any]:
    return {
        pair: [*(getattr(one, name) for name in FIELDS), repr(one.opinion(len(one.enters) // 2))]
        for pair, one in columns.items()
    }


@pytest.mark.parametrize(("workers", "rows"), [(1, 50), (2, 32_768), (2, 20), (3, 300)])
def test_workers_and_work_blocks_change_nothing(workers: int, rows: int) -> None:
    alone = build_columns(POLICY, CODES, SERIES, PAIRS)
    assert all(len(one.enters) and len(one.leaves) for one in alone.values())
    shared = columns_of(POLICY, CODES, SERIES, PAIRS, workers, work_rows=rows, bars_least=1)
    assert list(shared) == PAIRS
    assert said(shared) == said(alone)


def test_what_crosses_a_pipe_arrives_whole() -> None:
    told = list(told_signals([(POLICY, CODES)], SERIES, PAIRS)[0].values())
    empty = OwnSignals("DATA_STALE")
    arrived = read(written([*told, empty]))
    for one, other in zip([*told, empty], arrived, strict=True):
        for field in fields(OwnSignals):
            assert getattr(one, field.name) == getattr(other, field.name)


class Deadly(dict[Any, Any]):
    """Series of which one ends any other process that asks for it."""

    home = os.getpid()

    def get(self, key: Any, default: Any = None) -> Any:
        if key[0] == ETH and os.getpid() != self.home:
            os._exit(3)
        return super().get(key, default)


def test_the_share_of_a_worker_that_dies_is_worked_out_here() -> None:
    deadly = Deadly(SERIES)
    deadly.home = os.getpid()
    shared = columns_of(POLICY, CODES, deadly, PAIRS, 2, bars_least=1)
    assert said(shared) == said(build_columns(POLICY, CODES, SERIES, PAIRS))

"""Each gate and each exit rule of a back-test, and how it is taken out of an engine.

Lives here: a rule as places in the sources that are exchanged for others, and putting that in force
in this process. Must not live here: which tests must notice (`engine_mutants`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from mutation import live_functions, put_in_force

from trader.core import gates, lane_gates

# A measure that never says no: see `gates.Gate`.
ALWAYS = (True, 0, 0)


@dataclass(frozen=True, slots=True)
class Removal:
    """A rule is taken out where `old` becomes `new`, once, in a module of the core."""

    module: str
    old: str
    new: str


# By the reason it gives, what takes a rule out of the reference.
REFERENCE_EXITS: tuple[tuple[str, Removal], ...] = (
    (
        "stop_loss",
        Removal("exits", "if _reached(stop, look.low_ticks, look.bid_ticks):", "if False:"),
    ),
    (
        "trailing_stop",
        Removal("exits", "if position.trail_ticks <= 0 or peak < position.arm_ticks:", "if True:"),
    ),
    (
        "break_even",
        Removal("exits", "if position.even_ticks <= 0 or peak < position.even_ticks:", "if True:"),
    ),
    (
        "take_profit",
        Removal(
            "exits",
            "if 0 < position.target_ticks <= max(look.high_ticks, look.bid_ticks):",
            "if False:",
        ),
    ),
    ("max_hold", Removal("exits", "if 0 < position.hold_ms <= look.held_ms:", "if False:")),
    ("exit_signal", Removal("exits", 'return "exit_signal" if look.exit_now else ""', 'return ""')),
    ("scale_out", Removal("exits", "lots = _step_lots(desk, position, look, seen)", "lots = 0")),
)
# And out of the fast engine's lane: what decides, and what looks whether there is anything to.
LANE_EXITS: tuple[tuple[str, Removal], ...] = (
    (
        "stop_loss",
        Removal(
            "lane_entries", "if stop > 0 and (coin.low[row] <= stop or bid <= stop):", "if False:"
        ),
    ),
    (
        "trailing_stop",
        Removal(
            "lane_entries",
            "if moved > 0 and (coin.close[row] <= moved or bid <= moved):",
            "if False:",
        ),
    ),
    ("trailing_stop", Removal("lane_entries", "if moved > coin.stop_ticks:", "if False:")),
    (
        "take_profit",
        Removal(
            "lane_entries", "if 0 < coin.target_ticks <= max(coin.high[row], bid):", "if False:"
        ),
    ),
    (
        "max_hold",
        Removal("lane_entries", "if 0 < coin.hold_ms <= close_ms - coin.began_ms:", "if False:"),
    ),
    (
        "exit_signal",
        Removal("lane_entries", "return EXIT if leaves_at(pair, row) else -1", "return -1"),
    ),
    (
        "stop_loss",
        Removal(
            "lane",
            "if stop > 0 and (coin.low[row] <= stop or coin.close[row] <= coin.bid_stop_ticks):",
            "if False:",
        ),
    ),
    ("take_profit", Removal("lane", "if 0 < coin.target_ticks <= coin.high[row]:", "if False:")),
    (
        "trailing_stop",
        Removal(
            "lane", "if coin.trail_ticks > 0 and coin.high[row] > coin.peak_ticks:", "if False:"
        ),
    ),
    ("max_hold", Removal("lane", "if 0 < coin.hold_ms <= close_ms - coin.began_ms:", "if False:")),
    ("exit_signal", Removal("lane", "return coin.leave_row == row", "return False")),
)


@contextmanager
def without_gate(code: str) -> Generator[None]:
    """As if this gate had never been written: the reference's always says yes, and it is not in the
    table that the lane asks by."""
    tables: tuple[tuple[Any, str, Any], ...] = (
        (gates, "GATES", tuple(map(_silent_for(code), gates.GATES))),
        (gates, "EXIT_GATES", tuple(map(_silent_for(code), gates.EXIT_GATES))),
        (lane_gates, "GATES", tuple(gate for gate in gates.GATES if gate.code != code)),
    )
    kept = [(module, name, getattr(module, name)) for module, name, _ in tables]
    _exchange(tables)
    try:
        yield
    finally:
        _exchange(kept)


@contextmanager
def without_rule(removal: Removal) -> Generator[None]:
    """As if a line of the core were not there. The core must run from its sources."""
    module = importlib.import_module(f"trader.core.{removal.module}")
    path = Path(str(module.__file__))
    text = path.read_text(encoding="utf-8")
    assert path.suffix == ".py", f"{path} is compiled: rules are taken out of sources"
    assert text.count(removal.old) == 1, f"{removal.old!r} is there {text.count(removal.old)} times"
    live = live_functions(module)
    before = {name: [one.__code__ for one in functions] for name, functions in live.items()}
    put_in_force(dict(_codes(compile(text.replace(removal.old, removal.new), path, "exec"))), live)
    try:
        yield
    finally:
        _restore(live, before)


def _restore(live: Mapping[str, list[FunctionType]], before: Mapping[str, list[CodeType]]) -> None:
    for name, functions in live.items():
        for function, code in zip(functions, before[name], strict=True):
            function.__code__ = code


def _codes(code: CodeType) -> Generator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _silent_for(code: str) -> Callable[[gates.Gate], gates.Gate]:
    def yes(_: Any) -> tuple[bool, int, int]:
        return ALWAYS

    return lambda gate: gate._replace(ask=yes) if gate.code == code else gate


def _exchange(tables: Iterable[tuple[Any, str, Any]]) -> None:
    for module, name, table in tables:
        setattr(module, name, table)

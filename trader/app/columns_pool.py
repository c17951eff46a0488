"""Columns pool: what strategies say over whole histories, worked out by several processes.

Lives here: who works out what (an instrument at a time, rules only: a file's process answers one
asker) and how the answer is written as bytes. Equal for any number of workers and any work block.
Must not live here: what is said (`core.columns`), how workers live and die (`sweeping_workers`).
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from trader.app.sweeping_workers import Lost, Workers
from trader.core.columns import Pair, PairColumns, columns_from, told_signals
from trader.core.frames import SeriesKey
from trader.core.own_reader import OwnSignals
from trader.core.own_signals import WORK_ROWS
from trader.core.parameters import Parameters, StrategyCode
from trader.core.series import Series

# Bars below which another process costs more than it saves.
BARS_LEAST = 200_000
_HEAD_BYTES = 8


def columns_of(
    parameters: Parameters,
    strategies: Mapping[str, StrategyCode],
    series: Mapping[SeriesKey, Series],
    pairs: Iterable[Pair],
    workers: int = 1,
    *,
    work_rows: int = WORK_ROWS,
    want: tuple[int, int] | None = None,
    bars_least: int = BARS_LEAST,
) -> dict[Pair, PairColumns]:
    """`core.columns.build_columns` with so many processes; one, or few bars: in this one.

    Raises `sweeping_workers.WorkerBug` when a worker raised. What a worker that died was at is
    worked out here.
    """
    job, asked = (parameters, strategies), list(pairs)
    at_home, batches = _shared_out(parameters, strategies, asked)
    bars = sum(len(one) for one in series.values())
    if workers < 2 or len(batches) < 2 or bars < bars_least:
        at_home, batches = asked, []

    def told(some: Sequence[Pair]) -> dict[Pair, OwnSignals]:
        return told_signals([job], series, some, work_rows, want)[0]

    def work(numbers: Sequence[int]) -> Iterator[bytes]:
        for number in numbers:
            said = told(batches[number])
            yield written(list(said.values()))

    found = told(at_home) if at_home else {}
    if batches:
        count = min(workers, len(batches))
        for number, answer in Workers(work, [[n] for n in range(len(batches))], count).answers():
            if isinstance(answer, Lost):
                found |= told(batches[number])
            else:
                found |= zip(batches[number], read(answer), strict=True)
    return columns_from(job, series, {pair: found[pair] for pair in asked})


def _shared_out(
    parameters: Parameters, strategies: Mapping[str, StrategyCode], pairs: Sequence[Pair]
) -> tuple[list[Pair], list[list[Pair]]]:
    """What is worked out in this process, and for the others an instrument at a time."""
    files = {spec.name for spec in parameters.strategies if spec.source}
    files |= {name for name, code in strategies.items() if not code.program}
    by_symbol: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair[0] not in files:
            by_symbol.setdefault(pair[1], []).append(pair)
    return [pair for pair in pairs if pair[0] in files], list(by_symbol.values())


# --- as bytes ------------------------------------------------------------------------------------


def written(told: Sequence[OwnSignals]) -> bytes:
    """Signals as bytes: the length of a head in JSON, the head, then every column."""
    columns: list[array[Any]] = []
    rows: list[dict[str, Any]] = []
    for one in told:
        ints = {"enters": one.enters, "offsets": one.offsets, "leaves": one.leaves, "odd": one.odd}
        if one.signals is not None:
            ints["signals"] = one.signals
        floats = {**one.numbers, **{f"{i} step": step for i, step in enumerate(one.steps)}}
        columns += [*ints.values(), *floats.values()]
        row: dict[str, Any] = {"failed": one.failed, "problems": one.problems}
        row["ints"] = {name: len(column) for name, column in ints.items()}
        row["floats"] = {name: len(column) for name, column in floats.items()}
        rows.append(row)
    head = json.dumps(rows).encode()
    size = len(head).to_bytes(_HEAD_BYTES, "little")
    return b"".join([size, head, *(column.tobytes() for column in columns)])


def read(answer: bytes) -> list[OwnSignals]:
    """The signals that `written` wrote."""
    start = _HEAD_BYTES + int.from_bytes(answer[:_HEAD_BYTES], "little")
    rows: list[dict[str, Any]] = json.loads(answer[_HEAD_BYTES:start])
    left = memoryview(answer)[start:]

    def column(code: Literal["i", "d"], length: int) -> array[Any]:
        nonlocal left
        made: array[Any] = array(code)
        size = made.itemsize * length
        made.frombytes(left[:size])
        left = left[size:]
        return made

    told: list[OwnSignals] = []
    for row in rows:
        ints = {name: column("i", length) for name, length in row["ints"].items()}
        floats = {name: column("d", length) for name, length in row["floats"].items()}
        steps = [floats.pop(name) for name in list(floats) if name.endswith(" step")]
        told.append(
            OwnSignals(
                row["failed"],
                signals=ints.pop("signals", None),
                **ints,
                problems=[(start, stop, code) for start, stop, code in row["problems"]],
                numbers=floats,
                steps=steps,
            )
        )
    return told

#!/usr/bin/env python3
"""Claim: each indicator is what its definition says, and remembers what the table declares.

Every indicator of the table: six bars worked by hand; random columns against its definition in
exact fractions; random columns against TA-Lib where it has the function, with each declared
difference shown; the first valid row, exactly; values that do not depend on later rows, nor on
whether rows came one by one; two starts agree to the bit (finite, session), or to e**-10 of their
difference (fading), once the declared warm-up has passed; a row without a number restarts it.
"""

from __future__ import annotations

import argparse
import random
import sys
from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import exp, isnan, nan
from typing import Any

import numpy as np
from exact_indicators import EXACT
from harness import Verdict, parser_of, prove, say
from indicator_tables import BARS, HOUR_MS, SESSION, TABLES
from talib_indicators import DIFFERENCES, LEAST, TALIB, lines_of

from trader import build
from trader.core import indicators as face
from trader.core.indicator import Indicator
from trader.core.indicator_table import INDICATORS
from trader.domain.timeframe import TIMEFRAMES_MS

Columns = dict[str, Any]
PRICES = ("open", "high", "low", "close")
# How far a float may be from the exact value, as a part of the largest value about.
CLOSE, CLOSE_TALIB = 1e-11, 1e-9
DAY_MS = TIMEFRAMES_MS["1d"]
FADED = exp(-10)
# Single averages: what is left is a part of their own difference, not of what they are made of.
OWN_START = ("ema", "rma", "atr")
# Ratios of averages that fade alike: while nothing moves the ratio stays, so bars must move.
RATIOS = ("rsi", "adx", "plus_di", "minus_di")
# Those that have no number on rows where nothing was traded.
QUIET = ("vwap", "session_vwap")


class Tally:
    """Values compared, and what was wrong."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.problems: list[str] = []

    def same(self, what: str, name: str, got: Any, wanted: Any, slack: float) -> None:
        """One value against another; NaN equals NaN."""
        self.counts[what] = self.counts.get(what, 0) + 1
        if isnan(got) and isnan(wanted):
            return
        if not abs(got - wanted) <= slack:
            self.problems.append(f"{what}: {name}: {got!r}, not {wanted!r}")

    def line(self, what: str, name: str, got: Any, wanted: Any, slack: float) -> None:
        """Row by row; `slack` is a part of the largest value about; None is NaN."""
        allowed = slack * scale_of(wanted)
        for value, true in zip(got, wanted, strict=True):
            self.same(what, name, value, nan if true is None else float(true), allowed)

    def holds(self, what: str, name: str, *, told: bool) -> None:
        """One fact."""
        self.counts[what] = self.counts.get(what, 0) + 1
        if not told:
            self.problems.append(f"{what}: {name}")


def made(rng: random.Random, rows: int, kind: str) -> Columns:
    """Columns of bars: `walk` hardly ever repeats a value, `ticks` often does, `calm` rests."""
    step = {"walk": 0.000001, "ticks": 0.5, "calm": 0.01}[kind]
    price = 100.0
    bars: list[list[float]] = []
    for _ in range(rows):
        opened = price
        if kind != "calm" or rng.random() < 0.2:
            price = max(20.0, price + step * round(rng.gauss(0.0, 1.0) / step))
        wide = 0.0 if kind == "calm" else 1.0
        top = max(opened, price) + step * round(wide * rng.random() / step)
        bottom = min(opened, price) - step * round(wide * rng.random() / step)
        # A tenth of the bars trade nothing, but where every comparison is to be exact.
        volume = round(rng.random() * 90.0, 2) + 10.0
        bars.append(
            [opened, top, bottom, price, 0.0 if kind == "ticks" and volume < 20 else volume]
        )
    start = DAY_MS * 20_000 + HOUR_MS * rng.randrange(24)
    return columns_of([[round(value, 6) for value in bar] for bar in bars], start)


def columns_of(bars: Sequence[Sequence[float]], start_ms: int) -> Columns:
    """Rows of open, high, low, close, volume as columns; x is the close, y the volume."""
    columns: Columns = {
        name: array("d", [float(bar[at]) for bar in bars])
        for at, name in enumerate((*PRICES, "volume"))
    }
    columns["open_ms"] = array("q", [start_ms + HOUR_MS * row for row in range(len(bars))])
    return columns | {"x": columns["close"], "y": columns["volume"]}


def part(columns: Columns, start: int, stop: int | None = None) -> Columns:
    """Some rows of every column."""
    return {name: column[start:stop] for name, column in columns.items()}


def inputs_of(entry: Indicator, columns: Columns) -> list[Any]:
    """What it reads; of two sources the first is x, the second y."""
    sources = iter("xy")
    return [columns[next(sources) if name == "source" else name] for name in entry.inputs]


def lines(entry: Indicator, columns: Columns, numbers: tuple[float, ...]) -> tuple[Any, ...]:
    """Our values."""
    full = (*numbers, DAY_MS) if entry.session else numbers
    return entry.values(inputs_of(entry, columns), full)


def drawn(rng: random.Random, entry: Indicator, least: int = 1, most: int = 24) -> Any:
    """Random numbers that the entry allows."""
    while True:
        numbers = tuple(
            rng.randint(max(least, int(one.least)), most)
            if one.whole
            else round(rng.uniform(max(one.least, 0.01), min(one.most, 3.0)), 2)
            for one in entry.numbers
        )
        if not entry.problem(numbers):
            return numbers


def exact_of(columns: Columns) -> Columns:
    """The same rows as fractions."""
    return {
        name: list(column) if name == "open_ms" else [Fraction(value) for value in column]
        for name, column in columns.items()
    }


def scale_of(wanted: Sequence[Any]) -> float:
    """The largest value about: rounding is measured by it, and by prices of about 100."""
    return max([100.0, *(abs(float(v)) for v in wanted if v is not None and not isnan(v))])


def by_hand(tally: Tally) -> None:
    """The six bars on paper, through the functions that strategy files call."""
    columns = columns_of(BARS, 0)
    tally.holds("by hand", "all are there", told={row[0] for row in TABLES} == set(INDICATORS))
    for name, written, wanted in TABLES:
        entry = INDICATORS[name]
        kinds = [one.whole for one in entry.numbers]
        numbers = [
            int(n) if whole else float(Fraction(n)) for n, whole in zip(written, kinds, strict=True)
        ]
        more = {"session": SESSION} if entry.session else {}
        got = getattr(face, name)(*inputs_of(entry, columns), *numbers, **more)
        for line, row in zip(got if entry.outputs else (got,), wanted, strict=True):
            for value, text in zip(line, row.split(), strict=True):
                paper = nan if text == "_" else float(Fraction(text))
                tally.same("by hand", name, value, paper, 1e-13 * max(1.0, abs(paper)))


def by_definition(tally: Tally, rng: random.Random, rounds: int) -> None:
    """Random columns against exact fractions."""
    for number in range(rounds):
        columns = made(rng, 70, ("walk", "ticks", "calm")[number % 3])
        exact = exact_of(columns)
        for name, entry in INDICATORS.items():
            numbers = drawn(rng, entry)
            fractions = [n if type(n) is int else Fraction(n) for n in numbers]
            session = [DAY_MS] if entry.session else []
            wanted = EXACT[name](exact, *fractions, *session)
            for line, row in zip(lines(entry, columns, numbers), wanted, strict=True):
                tally.line("by definition", f"{name}{numbers}", line, row, CLOSE)


def by_talib(tally: Tally, rng: random.Random, rounds: int) -> None:
    """Random columns against TA-Lib, and the declared differences."""
    for number in range(rounds):
        columns = made(rng, 300, "walk")
        columns["open_ms"] = array("q", range(0, 300 * HOUR_MS, HOUR_MS))
        theirs = {name: np.array(column) for name, column in columns.items()}
        for name in TALIB:
            entry = INDICATORS[name]
            numbers = drawn(rng, entry, LEAST.get(name, 1), 30)
            length = 24 if entry.session else 300
            begun = 24 * (number % 12) if entry.session else 0
            seen = lines_of(name, part(theirs, begun, begun + length), numbers)
            for line, row in zip(lines(entry, columns, numbers), seen, strict=True):
                told = line[begun : begun + length]
                tally.line("by TA-Lib", f"{name}{numbers}", told, row, CLOSE_TALIB)
    for name, numbers, columns, told, ours in DIFFERENCES:
        entry = INDICATORS[name]
        tally.holds("differences", f"{name} is declared", told=len(entry.talib) > len("FUNCTION"))
        tally.same(
            "differences", f"TA-Lib's {name}", lines_of(name, columns, numbers)[0][-1], told, 0
        )
        own: Columns = columns | {"open_ms": array("q", range(6))}
        tally.same("differences", name, lines(entry, own, numbers)[0][-1], ours, 1e-12)


def settings(rng: random.Random, rounds: int) -> Iterator[tuple[str, Indicator, Any, Columns]]:
    """Every indicator with random numbers and columns, `rounds` times."""
    for number in range(rounds):
        for name, entry in INDICATORS.items():
            numbers = drawn(rng, entry, most=12)
            rows = entry.warmup(numbers, 24) + 130
            yield name, entry, numbers, made(rng, rows, ("walk", "ticks", "calm")[number % 3])


def memory(tally: Tally, rng: random.Random, rounds: int) -> None:
    """Two starts agree once the declared warm-up has passed."""
    for name, entry, numbers, drawn_columns in settings(rng, rounds):
        columns = drawn_columns
        if name in RATIOS:
            columns = made(rng, len(columns["close"]), rng.choice(("walk", "ticks")))
        late = rng.randrange(1, 60)
        settled = late + entry.warmup(numbers, 24)
        whole = lines(entry, columns, numbers)
        later = lines(entry, part(columns, late), numbers)
        what = f"{name}{numbers} from row {late}"
        for line, other in zip(whole, later, strict=True):
            gaps = [abs(a - b) for a, b in zip(line[late:], other, strict=True)]
            slack = 0.0
            if entry.memory == "fading":
                differ = (
                    max(gap for gap in gaps if not isnan(gap))
                    if name in OWN_START
                    else start_of(entry, columns, numbers)
                )
                slack = FADED * differ + CLOSE * scale_of(line)
            for row in range(settled, len(line)):
                tally.same(entry.memory, what, other[row - late], line[row], slack)


def start_of(entry: Indicator, columns: Columns, numbers: Sequence[float]) -> float:
    """How much two starts can differ by in the averages that an indicator is made of."""
    span = max(columns["high"]) - min(columns["low"])
    if entry.kinds[0] == "bounded":
        return 200.0  # as much above the line as below it
    if entry.kinds[0] == "percent":
        return 100.0 * span / min(columns["low"])
    return span * (1.0 + numbers[2] if entry.name == "keltner" else 1.0)


def first_rows(tally: Tally, rng: random.Random, rounds: int) -> None:
    """The first number is exactly where declared, and from there on there is one on every row."""
    for name, entry, numbers, drawn_columns in settings(rng, rounds):
        columns, begun = drawn_columns, 0
        if entry.session:
            times = columns["open_ms"]
            begun = next(row for row, at in enumerate(times) if at % DAY_MS == 0)
            columns = part(columns, 0, begun + 24)
        firsts = entry.firsts(numbers)
        for line, first in zip(lines(entry, columns, numbers), firsts, strict=True):
            row = min(begun + first, len(line))
            told = [isnan(value) for value in line]
            expected = [True] * row + [False] * (len(line) - row)
            # Where nothing was traded there is no average price: that is declared too.
            quiet = name in QUIET and 0.0 in columns["volume"]
            tally.holds("first row", f"{name}{numbers}", told=told == expected or quiet)


def prefixes(tally: Tally, rng: random.Random, rounds: int) -> None:
    """Batch, one by one and in pieces are one, to the bit; so is a column that ends sooner."""
    for name, entry, numbers, columns in settings(rng, rounds):
        full = (*numbers, DAY_MS) if entry.session else numbers
        rows = len(columns["close"])
        for at in rng.sample(range(rows), 2):
            for column in ("open", "high", "low", "close", "volume"):
                columns[column][at] = nan if rng.random() < 0.5 else columns[column][at]
        columns["x"], columns["y"] = columns["close"], columns["volume"]
        whole = entry.values(inputs_of(entry, columns), full)
        cut = rng.randrange(rows)
        short = entry.values(inputs_of(entry, part(columns, 0, cut)), full)
        told = [bytes(line[:cut]) == bytes(head) for line, head in zip(whole, short, strict=True)]
        tally.holds("causal", f"{name}{numbers}", told=all(told))
        for widest in (1, 9):
            outs = [array("d", [0.0]) * rows for _ in whole]
            state, row = entry.new_state(numbers), 0
            while row < rows:
                stop = min(rows, row + rng.randint(1, widest))
                entry.run(inputs_of(entry, part(columns, 0, stop)), full, outs, row, stop, state)
                row = stop
            equal = [bytes(a) == bytes(b) for a, b in zip(outs, whole, strict=True)]
            tally.holds("batch = incremental", f"{name}{numbers}", told=all(equal))


def restarts(tally: Tally, rng: random.Random, rounds: int) -> None:
    """After a row without a number all is as if the series began there."""
    for name, entry, numbers, columns in settings(rng, rounds):
        at = rng.randrange(1, 60)
        for column in ("open", "high", "low", "close", "volume"):
            columns[column][at] = rng.choice([nan, float("inf"), -float("inf")])
        whole = lines(entry, columns, numbers)
        fresh = lines(entry, part(columns, at + 1), numbers)
        for line, other in zip(whole, fresh, strict=True):
            same = bytes(line[at + 1 :]) == bytes(other)
            tally.holds("restart", f"{name}{numbers}", told=isnan(line[at]) and same)


def run(arguments: argparse.Namespace) -> Verdict:
    """All of it."""
    rng = random.Random(arguments.seed)
    tally = Tally()
    few, many = (2, 4) if arguments.quick else (12, 60)
    by_hand(tally)
    for what, part_of, rounds in (
        ("definition", by_definition, few), ("TA-Lib", by_talib, many), ("memory", memory, many),
        ("first rows", first_rows, few),
        ("prefixes", prefixes, few), ("restarts", restarts, few),
    ):  # fmt: skip
        part_of(tally, rng, rounds)
        say(f"{what}: {sum(tally.counts.values())} values so far")
    for problem in tally.problems[:20]:
        say(f"PROBLEM {problem}")
    figures = {
        "core": build.describe(),
        "indicators": len(INDICATORS),
        "with_talib": len(TALIB),
        "differences_declared": len(DIFFERENCES),
        "compared": dict(sorted(tally.counts.items())),
        "problems": len(tally.problems),
    }
    return Verdict(not tally.problems, sum(tally.counts.values()), figures)


if __name__ == "__main__":
    sys.exit(prove("indicators", run, parser_of("indicators", __doc__)))

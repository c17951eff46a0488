"""The check of a strategy file: does each value depend on the bars up to it, and on nothing else?

Lives here: asking the file for the same value in ways that must not matter (later bars cut off or
changed, windows that start elsewhere, other questions before, fresh processes, other clocks, other
chance, other hashes) and naming the first bar that differs. It samples: what it does not meet it
does not find. Must not live here: processes, the bars, what a verdict leads to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import zip_longest
from random import Random
from typing import Any, NoReturn

from trader.app.strategy_markets import FUTURES, KINDS, made_market, seeded, shaken
from trader.app.strategy_process import StrategyLost, StrategyProcess, StrategyRaised
from trader.app.strategy_verdict import (
    CODES,
    CONDITIONS,
    Columns,
    Difference,
    Subject,
    Verdict,
    exact_difference,
    holding,
    near_difference,
    settles,
    shown,
    spread,
    state_of,
    turns,
)
from trader.app.strategy_wire import Bars
from trader.records import dataclass, field, replace

SPAN_LEAST, SPAN_MOST = 96, 320
# What is generated before a window, in warm-ups, to look at where windows start.
BEFORE = 6
BEFORE_MOST = 20_000
FEW_KINDS = ("trend", "range", "gaps")
# Rows by which those looks back differ from whole warm-ups, or a period in it would not show.
UNEVEN = (0, 1, 3, 7, 12)
AFTER_START = 6
PIECES_MAX = 8
SHAKES = 36
HOUR_S = 3_600.0
# No difference of two clocks is whole hours: a minute of the hour would be the same in all of them.
WORLDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    # The same clock, told by other code: what differs then does not differ for the time of day.
    ("RANDOM", "in another process", {"clock_s": 0.0}),
    ("CLOCK", "an hour and a second later", {"clock_s": HOUR_S + 1}),
    ("RANDOM", "when chance leans low", {"chance": "low"}),
    ("RANDOM", "when chance leans high", {"chance": "high"}),
    ("CLOCK", "half a day later", {"clock_s": 12 * HOUR_S + 35 * 60.0}),
    ("CLOCK", "when the clock stands", {"clock": "frozen"}),
    ("CLOCK", "when the clock races", {"clock": "racing"}),
    ("CLOCK", "200 days later", {"clock_s": 4_801 * HOUR_S + 17 * 60.0}),
    ("CLOCK", "eleven years later", {"clock_s": 96_430 * HOUR_S + 48 * 60.0}),
    ("CLOCK", "three years earlier", {"clock_s": -26_285 * HOUR_S - 7 * 60.0}),
)
# Three windows each: a clock that races has then shown every minute of the hour.
RACE_ROUNDS = 20
HASH_SEEDS = (1, 20_240, 777, 4_242, 90_210, 31)


@dataclass(slots=True)
class _Case:
    """One market: all its bars, the window looked at (its last rows), and what it was answered."""

    market: str
    bars: Bars
    start: int
    answer: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def window(self) -> Bars:
        return self.bars.slice(self.start, len(self.bars))


class _Found(Exception):
    """The check is over."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.said)
        self.verdict = verdict


def check_strategy(
    subject: Subject,
    budget_s: float,
    given: Mapping[str, Bars] | None = None,
    rounds: int = 1,
    seed: int = 0,
) -> Verdict:
    """Check one file, for about so many seconds at most (never less than a first look).

    `given`: bars by name, besides the generated ones. `rounds`: how many sets of generated bars;
    `seed`: the number of the first.
    """
    return _Check(subject, budget_s, given or {}, range(seed, seed + rounds)).run()


class _Check:
    """One check; lives no longer."""

    def __init__(
        self, subject: Subject, budget_s: float, given: Mapping[str, Bars], rounds: range
    ) -> None:
        self.subject = subject
        self.until = time.monotonic() + budget_s
        self.given = given
        self.rounds = rounds
        self.count = 0
        self.warmup = -1
        self.notes: list[str] = []
        self.failure: Verdict | None = None
        self.numbers: dict[str, float | int] = {}
        self.main = self._fresh()

    def run(self) -> Verdict:
        try:
            self._learn()
            for number in self.rounds:
                if number > self.rounds[0] and self._late():
                    break
                self._round(number)
            verdict = self.failure or Verdict("", "nothing found")
        except _Found as found:
            verdict = found.verdict
        except StrategyLost as lost:
            verdict = Verdict("LOST", f"its process was lost: {lost.trouble}")
        finally:
            self.main.close()
        return replace(verdict, warmup=self.warmup, evaluations=self.count, notes=tuple(self.notes))

    def _learn(self) -> None:
        """Load the file; what it declares."""
        subject = self.subject
        try:
            known = self.main.parameters()
        except StrategyRaised as error:
            raise _Found(_failed(error, "when it is loaded")) from None
        self.numbers = {**known, **(subject.numbers or {})}
        low = self._fresh({"clock_s": 4_801 * HOUR_S, "chance": "low"})
        high = self._fresh({"chance": "high"})
        told: list[int] = []
        for process in (self.main, low, high):
            try:
                told.append(process.warmup(self.numbers))
            except (StrategyRaised, ValueError) as error:
                said = f"warmup(p) fails: {error}"
                raise _Found(Verdict("WARMUP_INVALID", said)) from None
        low.close()
        high.close()
        self.warmup = told[0]
        if len({*told}) > 1:
            said = f"warmup(p) is {' and then '.join(map(str, told))} for the same parameters"
            raise _Found(Verdict("WARMUP_INVALID", said))

    def _round(self, number: int) -> None:
        cases = [case for case in self._cases(number) if self._ask_base(case)]
        if not cases:
            return
        first = number == self.rounds[0]
        if first:
            self._as_is(cases)
        self._worlds(cases if first else cases[:2])
        trials = [self._trials(case, seeded(number)) for case in cases]
        done = 0
        for turn in zip_longest(*trials):
            for trial in turn:
                if trial is not None:
                    trial()
                    done += 1
            if self._late():
                self.notes.append(f"out of time after {done} trials")
                break
        self._asked_again(cases)
        if first:
            self._other_hashes(cases)

    # --- what is looked at -------------------------------------------------------------------

    def _cases(self, number: int) -> Iterator[_Case]:
        reach = max(self.warmup, 64)
        span = min(max(self.subject.anchor_bars, SPAN_LEAST), SPAN_MOST)
        rows = self.warmup + span
        before = min(BEFORE * reach, BEFORE_MOST)
        for kind in KINDS if rows < BEFORE_MOST else FEW_KINDS:
            bars = made_market(kind, number, before + rows, self.subject.step_ms)
            yield _Case(kind, bars, before)
        for name, bars in self.given.items():
            if len(bars) <= self.warmup + 16:
                self.notes.append(f"{name} has {len(bars)} bars, too few for this warm-up")
                continue
            yield from self._pieces(name, bars, rows, number)

    def _pieces(self, name: str, bars: Bars, rows: int, number: int) -> Iterator[_Case]:
        """Windows of given bars, spread over them; each round takes others."""
        reach = BEFORE * max(self.warmup, 64)
        last = max(0, len(bars) - rows)
        parts = min(PIECES_MAX, last // rows + 2) if last else 1
        later = (number - self.rounds[0]) * rows // (2 * len(self.rounds))
        for part in range(parts):
            start = min(last, last * part // max(1, parts - 1) + later)
            first = max(0, start - reach)
            yield _Case(name, bars.slice(first, start + rows), start - first)

    def _ask_base(self, case: _Case) -> bool:
        """The answer that all others are compared with; False when there is none."""
        try:
            case.answer = self._ask(self.main, case.window)
        except StrategyRaised as error:
            self._fail(_failed(error, f"on {case.market} bars", case.market))
            return False
        rows = len(case.window)
        for name in self.subject.required:
            if name not in case.answer:
                said = f"signals() returns no column {name}"
                raise _Found(Verdict("SHAPE", said, case.market, column=name))
        for name, column in case.answer.items():
            if len(column) != rows:
                said = f"column {name} has {len(column)} rows, the bars {rows}"
                raise _Found(Verdict("SHAPE", said, case.market, column=name))
        return True

    def _fail(self, verdict: Verdict) -> None:
        if verdict.refused:
            raise _Found(verdict)
        self.failure = self.failure or verdict

    # --- the same question elsewhere ---------------------------------------------------------

    def _as_is(self, cases: list[_Case]) -> None:
        """A fresh process, asked the same in the same order, and in the other one."""
        differs = self._compare(self._fresh(), cases)
        if differs is not None:
            case, difference = differs
            if self._is_clock(cases):
                self._tell("CLOCK", case, difference, "in another process, some milliseconds later")
            self._tell("RANDOM", case, difference, "in another process")
        differs = self._compare(self._fresh(), cases[::-1])
        if differs is not None:
            self._tell("HIDDEN_STATE", *differs, "when other bars were asked for before")

    def _is_clock(self, cases: list[_Case]) -> bool:
        """Whether a clock that stands takes away what differs between any two processes."""
        if self._compare(self._fresh(), cases) is None:
            return False  # seen once and not again: chance that is rare
        still = {"clock": "frozen"}
        processes = [self._fresh(still) for _ in range(3)]
        for case in cases:
            first, *others = [self._ask(process, case.window) for process in processes]
            if any(exact_difference(first, other, 0, len(case.window)) for other in others):
                return False
        return True

    def _worlds(self, cases: list[_Case]) -> None:
        for code, said, ambient in WORLDS:
            if self._late():
                return
            rounds = RACE_ROUNDS if ambient.get("clock") == "racing" else 1
            differs = self._compare(self._fresh(ambient), self._again(cases[:3], rounds))
            if differs is None:
                continue
            if rounds > 1 and self._compare(self._fresh(), self._again(cases[:3], rounds)):
                self._tell("HIDDEN_STATE", *differs, "when it is asked for again")
            self._tell(code, *differs, said)

    def _again(self, cases: list[_Case], rounds: int) -> Iterator[_Case]:
        """The cases round after round, while there is time."""
        for number in range(rounds):
            if number and self._late():
                return
            yield from cases

    def _other_hashes(self, cases: list[_Case]) -> None:
        """New interpreters take their time to start: all do at once, and last."""
        seeds = HASH_SEEDS[: 2 if self._late() else None]
        for process in [self._fresh(hash_seed=seed) for seed in seeds]:
            differs = self._compare(process, cases[:3])
            if differs is not None:
                self._tell("HASH_ORDER", *differs, "in an interpreter with another hash seed")

    def _compare(
        self, process: StrategyProcess, cases: Iterable[_Case]
    ) -> tuple[_Case, Difference] | None:
        """The first case that the process answers otherwise, also by failing."""
        try:
            for case in cases:
                try:
                    answer = self._ask(process, case.window)
                except (StrategyRaised, StrategyLost):
                    return case, Difference(len(case.window) - 1, "", 0.0, 0.0)
                rows = len(case.window)
                difference = exact_difference(case.answer, answer, self.warmup, rows)
                if difference is not None:
                    return case, difference
        finally:
            process.close()
        return None

    def _asked_again(self, cases: list[_Case]) -> None:
        """After everything else, the first process still says what it said."""
        for case in cases:
            answer = self._ask(self.main, case.window)
            difference = exact_difference(case.answer, answer, self.warmup, len(case.window))
            if difference is not None:
                self._tell("HIDDEN_STATE", case, difference, "when it is asked again later")

    # --- trials of one market ----------------------------------------------------------------

    def _trials(self, case: _Case, chance: Random) -> list[Callable[[], None]]:
        """What to try, what finds most first."""
        rows = len(case.window)
        first = self.warmup
        telling: list[int] = []
        for name in CONDITIONS & {*case.answer}:
            telling += spread(turns(case.answer[name], first), 8)
            telling += spread(holding(case.answer[name], first), 5)
        at_random = [chance.randrange(first, rows) for _ in range(6)]
        places = sorted({*telling, *at_random, first, rows - 2} & {*range(first, rows)})
        chance.shuffle(places)
        futures = list(FUTURES)
        trials: list[Callable[[], None]] = []
        for index, row in enumerate(places):
            trials.append(lambda row=row: self._cut(case, row))
            trials.append(lambda row=row: self._start_at(case, row))
            style = futures[index % len(futures)]
            trials.append(lambda row=row, style=style: self._change(case, row, style))
        for index, row in enumerate(telling):
            style = futures[index % 2]
            trials.append(lambda row=row, style=style: self._change(case, row, style))
            begin = max(0, row - first - chance.randrange(1, 40))
            trials.append(lambda row=row, begin=begin: self._start_at(case, row, begin))
        return trials

    def _cut(self, case: _Case, row: int) -> None:
        """Nothing after the row."""
        window = case.window.slice(0, row + 1)
        self._look(case, window, row, "when the bars after {} are cut off")

    def _change(self, case: _Case, row: int, style: str) -> None:
        """Something else after the row."""
        if row + 1 < len(case.window):
            window = FUTURES[style](case.window, row + 1)
            self._look(case, window, row, f"when what comes after {{}} is {style}")

    def _look(self, case: _Case, window: Bars, row: int, said: str) -> None:
        try:
            answer = self._ask(self.main, window)
        except StrategyRaised as error:
            self._fail(_failed(error, f"on {len(window)} {case.market} bars", case.market))
            return
        if any(len(column) != len(window) for column in answer.values()):
            lengths = sorted({len(column) for column in answer.values()})
            said = f"columns of {lengths} rows for {len(window)} bars"
            raise _Found(Verdict("SHAPE", said, case.market))
        difference = exact_difference(case.answer, answer, self.warmup, row + 1)
        if difference is None:
            return
        told = said.format(_time(case.window.open_ms[row]))
        self._not_state(case, window, difference)
        self._tell("LOOKS_AHEAD", case, difference, told)

    def _start_at(self, case: _Case, row: int, begin: int = -1) -> None:
        """The window starts later: by default, the row is the first that is to be trusted."""
        begin = row - self.warmup if begin < 0 else begin
        stop = min(row + AFTER_START, len(case.window))
        if begin <= 0:
            return
        window = case.window.slice(begin, stop)
        try:
            answer = self._ask(self.main, window)
        except StrategyRaised as error:
            self._fail(_failed(error, f"on {len(window)} {case.market} bars", case.market))
            return
        for difference in near_difference(case.answer, answer, row, stop, -begin):
            if self._is_tie(case, difference):
                continue
            self._not_state(case, window, difference, -begin)
            # What looks ahead often shows here too; then that is what is wrong with it.
            self._cut(case, difference.row)
            for style in FUTURES:
                self._change(case, difference.row, style)
            code, said = self._why_start(case, difference)
            self._tell(code, case, difference, said)

    def _is_tie(self, case: _Case, difference: Difference) -> bool:
        """Whether a hair's breadth in the prices decides the value there: then where the window
        starts is not what is wrong with it."""
        column, row = difference.column, difference.row
        share = 3e-4 if column in CONDITIONS else 1e-6
        before = case.answer[column][row]
        gap = abs(difference.expected - difference.found)
        for seed in range(SHAKES):
            window = shaken(case.window.slice(0, row + 1), share, seed)
            with suppress(StrategyRaised):
                value = self._ask(self.main, window)[column][row]
                if state_of(column, value) != state_of(column, before):
                    return True
                if abs(value - before) >= gap / 2 > 0.0:
                    return True
        return False

    def _why_start(self, case: _Case, difference: Difference) -> tuple[str, str]:
        """Too little warm-up, or a memory without end."""
        column, row = difference.column, case.start + difference.row
        reach = max(self.warmup, 64)
        values: list[float] = []
        for times, less in enumerate(UNEVEN, BEFORE - len(UNEVEN) + 1):
            first = row - times * reach + less
            if first < 0:
                break
            with suppress(StrategyRaised):
                window = case.bars.slice(first, row + 1)
                values.append(self._ask(self.main, window)[column][-1])
        said = f"when the window starts {self.warmup} bars before it (its warm-up)"
        if len(values) < 3 or settles(column, values, case.answer[column]):
            return "WARMUP_SHORT", f"{said}; with more before, it settles"
        return "HISTORY_LENGTH", f"{said}; with more before, it never settles"

    def _not_state(self, case: _Case, window: Bars, difference: Difference, shift: int = 0) -> None:
        """Rule out that the difference came from what was asked before: ask fresh processes."""
        answers: list[Columns] = []
        for bars in (case.window, window):
            process = self._fresh()
            with suppress(StrategyRaised):
                answers.append(self._ask(process, bars))
            process.close()
        if len(answers) < 2:
            return
        row, column = difference.row, difference.column
        if exact_difference(case.answer, answers[0], self.warmup, len(case.window)):
            self._tell("HIDDEN_STATE", case, difference, "when other bars were asked for before")
        alone = {column: answers[1].get(column, ())}
        if not exact_difference({column: answers[0][column]}, alone, row, row + 1, shift):
            self._tell("HIDDEN_STATE", case, difference, "when other bars were asked for before")

    # --- the rest ----------------------------------------------------------------------------

    def _fresh(
        self, ambient: Mapping[str, Any] | None = None, hash_seed: int | None = None
    ) -> StrategyProcess:
        return StrategyProcess(self.subject.name, self.subject.text, ambient, hash_seed)

    def _ask(self, process: StrategyProcess, bars: Bars) -> dict[str, Any]:
        self.count += 1
        return process.signals(bars, self.numbers)

    def _late(self) -> bool:
        return time.monotonic() > self.until

    def _tell(self, code: str, case: _Case, difference: Difference, said: str) -> NoReturn:
        column = difference.column
        at_ms = case.window.open_ms[difference.row]
        was, now = shown(column, difference.expected), shown(column, difference.found)
        what = f"{column} of the bar {_time(at_ms)} is {was}, and {now} {said}"
        if not column:
            what, was, now = f"it answers, and fails {said}", "", ""
        raise _Found(Verdict(code, f"{CODES[code]}: {what}", case.market, at_ms, column, was, now))


def _failed(error: StrategyRaised, where: str, market: str = "") -> Verdict:
    name = type(error).__name__
    code = {"ReachesOut": "REACHES_OUT", "Prints": "PRINTS"}.get(name, "FAILS")
    line = f" in line {error.line}" if error.line else ""
    said = f"{CODES[code]}: {name}{line} {where}: {error}"
    return Verdict(code, said, market, printed=error.printed)


def _time(at_ms: int) -> str:
    """UTC, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at_ms / 1000))

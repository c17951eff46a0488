"""Random rules that are well typed: every indicator of the table and every operator, from a seed.

Lives here: `RuleMaker`, whose `condition` and `series` give texts of the rule language. Must not
live here: what is proved with them; strings that are no rules (see rule_strings.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from trader.core.indicator import Indicator
from trader.core.indicator import Number as NumberOf
from trader.core.indicator_table import INDICATORS
from trader.domain.timeframe import TIMEFRAMES_MS

COLUMNS = ("open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4")
ARITHMETIC = ("+", "-", "*", "/")
COMPARISONS = (">", ">=", "<", "<=", "==", "!=")
MEMORIES = ("finite", "fading", "session")
TRIES_MAX = 50


@dataclass
class RuleMaker:
    """Makes rules for bars of `timeframe`.

    Attributes:
        chance: where every choice comes from; equal states give equal rules.
        period_max: longest count of rows, so that warm-ups stay short.
        memories: which indicators are used, by their memory.
        higher: timeframes of on(), () for none; each above `timeframe`.
        session_rows_max: longest session, in bars of the timeframe at hand.
        parameters: names of numbers that may stand where any number may, 1 <= value <= period_max.
        used: how often each indicator, function and operator came up.
    """

    chance: Random
    timeframe: str = "15m"
    period_max: int = 24
    memories: Sequence[str] = MEMORIES
    higher: Sequence[str] = ("1h", "4h")
    session_rows_max: int = 200
    parameters: Sequence[str] = ()
    used: Counter[str] = field(default_factory=Counter[str])

    def condition(self, depth: int = 3) -> str:
        """A condition of the strategy's own timeframe, at most about `depth` levels deep."""
        return self._condition(depth, self.timeframe)

    def series(self, depth: int = 3) -> str:
        """A series of the strategy's own timeframe."""
        return self._series(depth, self.timeframe)

    # Conditions --------------------------------------------------------------------------------

    def _condition(self, depth: int, frame: str) -> str:
        shapes = ["compare", "compare", "chain", "crossing", "trend"]
        if depth > 1:
            shapes += ["logic", "logic", "not", "over", "back"]
            shapes += ["on"] if self._may_look_up(frame) else []
        shape = self.chance.choice(shapes)
        below = depth - 1
        if shape == "compare":
            left, right = self._series(below, frame), self._operand(below, frame)
            sides = [left, right] if self.chance.random() < 0.8 else [right, left]
            return f"{sides[0]} {self._sign(COMPARISONS)} {sides[1]}"
        if shape == "chain":
            parts = [self._series(below, frame) for _ in range(3)]
            signs = [self._sign(COMPARISONS) for _ in range(2)]
            return f"{parts[0]} {signs[0]} {parts[1]} {signs[1]} {parts[2]}"
        if shape == "crossing":
            name = self._note(self.chance.choice(["crosses_above", "crosses_below"]))
            return f"{name}({self._series(below, frame)}, {self._operand(below, frame)})"
        if shape == "trend":
            name = self._note(self.chance.choice(["rising", "falling"]))
            return f"{name}({self._series(below, frame)}{self._steps()})"
        return self._condition_of_conditions(shape, below, frame)

    def _condition_of_conditions(self, shape: str, below: int, frame: str) -> str:
        if shape == "logic":
            word = self._note(self.chance.choice(["and", "or"]))
            count = self.chance.choice([2, 2, 3])
            parts = [f"({self._condition(below, frame)})" for _ in range(count)]
            return f" {word} ".join(parts)
        inner = self._condition(below, frame)
        if shape == "not":
            return f"{self._note('not')} ({inner})"
        if shape == "back":
            return f"({inner})[{self._back()}]"
        if shape == "on":
            return self._on(self._condition, below)
        name = self._note(self.chance.choice(["any", "all"]))
        return f"{name}({inner}, {self._whole(1)})"

    # Series ------------------------------------------------------------------------------------

    def _series(self, depth: int, frame: str) -> str:
        shapes = ["column", "indicator", "indicator"]
        if depth > 1:
            shapes += ["indicator", *["arithmetic"] * 4, "extreme", "back", "abs", "minus"]
            shapes += ["on"] if self._may_look_up(frame) else []
        shape = self.chance.choice(shapes)
        below = depth - 1
        if shape == "column":
            return self._note(self.chance.choice(COLUMNS))
        if shape == "indicator":
            return self._indicator(below, frame)
        if shape == "arithmetic":
            left, right = self._series(below, frame), self._operand(below, frame)
            sides = [left, right] if self.chance.random() < 0.8 else [right, left]
            return f"({sides[0]} {self._sign(ARITHMETIC)} {sides[1]})"
        if shape == "extreme":
            name = self._note(self.chance.choice(["min", "max"]))
            count = self.chance.choice([1, 1, 2])
            others = [self._operand(below, frame) for _ in range(count)]
            return f"{name}({', '.join([self._series(below, frame), *others])})"
        if shape == "on":
            return self._on(self._series, below)
        inner = self._series(below, frame)
        if shape == "back":
            return f"({inner})[{self._back()}]"
        return f"{self._note('abs')}({inner})" if shape == "abs" else f"(-({inner}))"

    def _indicator(self, below: int, frame: str) -> str:
        sessions = self._sessions(frame)
        known = [
            entry
            for entry in INDICATORS.values()
            if entry.memory in self.memories and (sessions or not entry.session)
        ]
        entry = self.chance.choice(known)
        count = entry.inputs.count("source")
        words: list[str] = []
        if count > 1 or (count and self.chance.random() < 0.8):
            words = [self._source(below, frame) for _ in range(count)]
        session = self.chance.choice(sessions) if entry.session else ""
        words += self._numbers(entry, TIMEFRAMES_MS.get(session, 0) // TIMEFRAMES_MS[frame])
        if session:
            words.append(f'session="{session}"')
        part = f".{self.chance.choice(entry.outputs)}" if entry.outputs else ""
        return f"{self._note(entry.name)}({', '.join(words)}){part}"

    def _source(self, below: int, frame: str) -> str:
        if below < 1 or self.chance.random() < 0.6:
            return self._note(self.chance.choice(COLUMNS))
        return self._series(below, frame)

    def _numbers(self, entry: Indicator, session_rows: int) -> list[str]:
        """Numbers that go together and give a value within the session; by name now and then."""
        for _ in range(TRIES_MAX):
            values = [self._number(number) for number in entry.numbers]
            plain = [float(value) for value in values]
            late = entry.session and entry.first_valid(plain) >= session_rows
            if not late and not entry.relation(plain):
                break
        else:
            values = [Decimal(str(number.least)) for number in entry.numbers]
        words = [format(value, "f") for value in values]
        names = [number.name for number in entry.numbers]
        if names and self.chance.random() < 0.2:
            return [f"{name}={word}" for name, word in zip(names, words, strict=True)]
        first = entry.numbers[0] if len(names) == 1 else None
        takes_any = first is not None and first.whole and first.least <= 1
        if takes_any and self.parameters and self.chance.random() < 0.3:
            return [self.chance.choice(self.parameters)]
        return words

    def _number(self, number: NumberOf) -> Decimal:
        if number.whole:
            most = min(int(number.most), self.period_max)
            return Decimal(self.chance.randint(int(number.least), max(int(number.least), most)))
        least, most = Decimal(str(number.least)), min(Decimal(str(number.most)), Decimal(4))
        return least + (most - least) * self.chance.randint(1, 100) / 100

    # Small parts -------------------------------------------------------------------------------

    def _operand(self, below: int, frame: str) -> str:
        """A series, or a number beside one."""
        draw = self.chance.random()
        if draw < 0.3:
            return self.chance.choice(["0.01", "0.5", "1", "1.5", "2", "30", "50", "70", "100"])
        if draw < 0.4 and self.parameters:
            return self.chance.choice(self.parameters)
        return self._series(below, frame)

    def _sign(self, signs: Sequence[str]) -> str:
        return self._note(self.chance.choice(signs))

    def _steps(self) -> str:
        draw = self.chance.random()
        if draw < 0.2:
            return ""
        return f", {'n=' if draw < 0.4 else ''}{min(self._whole(1), 4)}"

    def _whole(self, least: int) -> int:
        return self.chance.randint(least, self.period_max)

    def _back(self) -> int:
        self._note("[]")
        return self.chance.choice([0, 1, 1, 1, 2, 5])

    def _on(self, make: Callable[[int, str], str], below: int) -> str:
        timeframe = self.chance.choice(self.higher)
        return f'{self._note("on")}("{timeframe}", {make(below, timeframe)})'

    def _may_look_up(self, frame: str) -> bool:
        return frame == self.timeframe and bool(self.higher)

    def _sessions(self, frame: str) -> list[str]:
        step_ms = TIMEFRAMES_MS[frame]
        most_ms = step_ms * self.session_rows_max
        return [name for name, ms in TIMEFRAMES_MS.items() if step_ms < ms <= most_ms]

    def _note(self, word: str) -> str:
        self.used[word] += 1
        return word

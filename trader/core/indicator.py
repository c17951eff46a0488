"""What an indicator is: its signature, its kinds, its memory, and how it is run.

Lives here: the shape of an entry of the indicator table and what is checked before a kernel runs.
Must not live here: the entries (catalogue_*.py) and the loops (averages.py and its siblings).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from math import nan
from typing import Any, Literal

from trader.records import dataclass

Numbers = Sequence[float]
Memory = Literal["finite", "fading", "session"]
Kind = Literal[
    "source", "price", "distance", "percent", "bounded", "volume", "ratio", "count"
]  # fmt: skip

# Slots of the state that kernels keep for single values; histories of rows come after them.
SLOTS = 16
PERIOD_MAX = 10_000


@dataclass(frozen=True)
class Number:
    """One number of an indicator.

    Attributes:
        name: what it is called in rules (`n=20`).
        whole: whether only whole numbers are allowed (a count of rows).
        default: what it is when not given; None: it must be given.
        least, most: bounds, both allowed.
    """

    name: str
    whole: bool
    default: float | None
    least: float
    most: float

    def problem(self, value: float) -> str:
        """Why this value cannot be used; "" when it can."""
        what = "a period" if self.whole else self.name
        kind = type(value)
        if self.whole and kind is not int:
            return f"{what} must be a whole number, not {value!r} ({self.name})"
        if kind is not int and kind is not float:
            return f"{what} must be a number, not {value!r}"
        if value < self.least:
            return f"{what} must be at least {self.least:g}, not {value} ({self.name})"
        if not value <= self.most:
            return f"{what} must be at most {self.most:g}, not {value} ({self.name})"
        return ""


def no_relation(_: Numbers) -> str:
    """Numbers that may be chosen freely of each other."""
    return ""


@dataclass(frozen=True)
class Indicator:
    """One indicator: everything that rules, strategies, documents and proofs need to know.

    Attributes:
        name: lower case, as in rules and in `core.indicators`.
        inputs: "source" for any series (as many as the word occurs; a single one is `close` when
            a rule gives none); else columns that are taken implicitly: open_ms (int64), open,
            high, low, close, volume.
        numbers: in order; the session's length in ms follows them where `session` is true.
        outputs: names of the lines, () for a single one.
        kinds: what each line measures, for warnings; "source": what its source measures.
        memory: finite (a fixed number of rows), fading, or session (all rows of the session).
        session: whether it is reset at each session's start and must be told its length.
        firsts: per output, the index of its first number; of a session: within the session.
        settled: numbers -> rows before a row, after which where the series starts no longer
            matters to it; finite: exactly; fading: the averages that it is made of keep no more
            than e**-10 of another start.
        kernel: inputs..., numbers..., outs..., start, stop, state -> fills outs[start:stop].
        history: numbers -> doubles of state beyond SLOTS.
        formula, source, flat: in words; flat: its value when nothing moves.
        talib: TA-Lib's function and every difference; "" where it has none.
        relation: numbers -> why they do not go together, or "".
    """

    name: str
    inputs: tuple[str, ...]
    numbers: tuple[Number, ...]
    outputs: tuple[str, ...]
    kinds: tuple[Kind, ...]
    memory: Memory
    firsts: Callable[[Numbers], tuple[int, ...]]
    settled: Callable[[Numbers], int]
    kernel: Callable[..., Any]
    formula: str
    source: str
    flat: str
    talib: str = ""
    history: Callable[[Numbers], int] = lambda _: 0
    relation: Callable[[Numbers], str] = no_relation

    @property
    def session(self) -> bool:
        """Whether it is reset at each session's start."""
        return self.memory == "session"

    @property
    def width(self) -> int:
        """Number of output columns."""
        return len(self.outputs) or 1

    def problem(self, numbers: Numbers) -> str:
        """Why these numbers (without the session's length) cannot be used; "" when they can."""
        if len(numbers) != len(self.numbers):
            return f"{self.name} takes {len(self.numbers)} numbers, not {len(numbers)}"
        for number, value in zip(self.numbers, numbers, strict=True):
            if why := number.problem(value):
                return why
        return self.relation(numbers)

    def first_valid(self, numbers: Numbers) -> int:
        """Index of the first row on which every output is a number; of a session: its rows."""
        return max(self.firsts(numbers))

    def warmup(self, numbers: Numbers, session_rows: int = 0) -> int:
        """Rows before a row that settle its value, whatever lies before them."""
        return session_rows if self.session else self.settled(numbers)

    def new_state(self, numbers: Numbers) -> array[float]:
        """Zeroed memory for a run that starts at row 0."""
        return array("d", bytes(8 * (SLOTS + self.history(numbers))))

    def run(
        self,
        inputs: Sequence[Any],
        numbers: Numbers,
        outs: Sequence[Any],
        start: int,
        stop: int,
        state: Any,
    ) -> None:
        """Fill outs[start:stop] from inputs[0:stop].

        Inputs and outs are contiguous float64 buffers (open_ms: int64) of at least `stop` rows,
        numbers as `problem` allows them (a session's length in ms last), `state` what `new_state`
        gave, carried from one call to the next. One call for all rows and one call for each row
        give equal bits. Raises ValueError when a buffer is too short.
        """
        if not 0 <= start <= stop:
            raise ValueError(f"{self.name}: rows {start} to {stop} are no range")
        for column in (*inputs, *outs):
            if len(column) < stop:
                raise ValueError(f"{self.name}: {len(column)} rows are fewer than {stop}")
        own = numbers[:-1] if self.session else numbers
        if len(state) < SLOTS + self.history(own):
            raise ValueError(f"{self.name}: its state is too short")
        self.kernel(*inputs, *numbers, *outs, start, stop, state)

    def values(self, inputs: Sequence[Any], numbers: Numbers) -> tuple[array[float], ...]:
        """Every output over all rows; buffers and numbers as for `run`."""
        rows = len(inputs[0])
        outs = tuple(array("d", [nan]) * rows for _ in range(self.width))
        own = numbers[:-1] if self.session else numbers
        self.run(inputs, numbers, outs, 0, rows, self.new_state(own))
        return outs

"""Strategy files: how a user's Python becomes two functions, and what they may see.

Lives here: compiling a strategy's source text (kept in the journal, so that a replay runs the very
text that decided) and the read-only window of closed bars it is given. Must not live here: reading
files, and what is done with a signal.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import CodeType
from typing import Any, cast

from trader.core.parameters import StrategyCode, StrategySpec
from trader.core.rule_kernels import near_rows, price_rows
from trader.core.series import Ints, Series
from trader.records import replace

# What code of a user may raise while it decides: anything, classes of its own among them. One
# strategy that fails must not keep the exits of the others from being looked after.
USER_CODE_ERRORS = (Exception,)

Numbers = Mapping[str, float | int]
PRICES = frozenset({"open", "high", "low", "close"})
COLUMNS = PRICES | {"open_ms", "volume"}
NEAR = 1_024.0  # both ways from the first value: 2**20 between the largest and the smallest
FLOAT_EXACT = 9_007_199_254_740_992  # 2**53: whole numbers up to here are exact as floats


class CodeLost(BaseException):
    """A strategy's code gave no answer at all: it ran out of time or memory, or its process died.

    Not one of USER_CODE_ERRORS: a decision is not made of it, but without the strategy.
    """


class StrategyError(ValueError):
    """A strategy file that cannot be used; says why."""


class Window:
    """Closed bars as a strategy sees them: float64 columns it can read and not write.

    Attributes:
        open_ms: int64[n], open times, oldest first.
        open, high, low, close: float64[n], prices. volume: float64[n], base coins.

    A column is made when it is first asked for.
    """

    __slots__ = (
        "_far", "_first", "_series", "_stop", "_whole",
        "close", "high", "low", "open", "open_ms", "volume",
    )  # fmt: skip

    open_ms: memoryview[int]
    open: memoryview[float]
    high: memoryview[float]
    low: memoryview[float]
    close: memoryview[float]
    volume: memoryview[float]

    def __init__(
        self, series: Series, first: int = 0, stop: int | None = None, whole: Window | None = None
    ) -> None:
        """Rows [first, stop) of a series; prices become the nearest floats of their decimals.

        `whole`: a window of these rows and more, whose columns are then shared.
        """
        self._series = series
        self._first = first
        self._stop = len(series) if stop is None else stop
        self._whole = whole
        self._far: dict[str, bool] = {}

    def __len__(self) -> int:
        """Number of bars."""
        return self._stop - self._first

    def is_near(self, name: str) -> bool:
        """Whether all values of a column lie so near each other that sums of them can be exact
        (see `history`); looked at once for all rows, and only then for these."""
        if self._whole is not None and self._whole.is_near(name):
            return True
        if name not in self._far:
            self._far[name] = not near_rows(getattr(self, name), 0, len(self), NEAR)
        return not self._far[name]

    def part(self, name: str, first: int, stop: int) -> memoryview[Any]:
        """A column's rows [first, stop) of the series, which are rows of this window too."""
        return getattr(self, name)[first - self._first : stop - self._first]

    def __getattr__(self, name: str) -> memoryview[Any]:
        """A column that was not asked for before."""
        if name not in COLUMNS:
            raise AttributeError(name)
        if self._whole is not None:
            view = self._whole.part(name, self._first, self._stop)
        elif name in PRICES:
            ticks: Ints = getattr(self._series, name)
            column = price_column(ticks, self._series.tick, self._first, self._stop)
            view = memoryview(column).toreadonly()
        else:
            view = memoryview(getattr(self._series, name)).toreadonly()[self._first : self._stop]
        setattr(self, name, view)
        return view


def price_column(ticks: Ints, tick: Decimal, first: int, stop: int) -> array[float]:
    """Prices of ticks [first, stop): each the float nearest to its exact decimal."""
    numerator, denominator = tick.as_integer_ratio()
    column = array("d", bytes(8 * (stop - first)))
    exact = numerator < FLOAT_EXACT and denominator < FLOAT_EXACT
    if exact and price_rows(
        ticks, numerator, denominator, FLOAT_EXACT // numerator, column, first, stop
    ):
        return column
    return array("d", [value * numerator / denominator for value in ticks[first:stop]])


def compile_strategy(name: str, source: str) -> CodeType:
    """The code of a strategy file; raises StrategyError with line and reason."""
    try:
        return compile(source, f"<strategy {name}>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise StrategyError(f"strategy {name}: {error}") from error


def load_strategy(name: str, source: str) -> tuple[StrategyCode, dict[str, float | int]]:
    """The functions of a strategy file and its PARAMETERS with their defaults.

    Raises StrategyError when it does not define `PARAMETERS`, `warmup(p)` and `signals(bars, p)`,
    or fails while it is loaded.
    """
    code = compile_strategy(name, source)
    scope: dict[str, Any] = {"__name__": f"trader_strategy_{name}"}
    try:
        exec(code, scope)  # noqa: S102 - the user's own file, checked for its owner when read
    except USER_CODE_ERRORS as error:
        raise StrategyError(f"strategy {name}: fails when loaded: {error!r}") from error
    warmup = scope.get("warmup")
    signals = scope.get("signals")
    if not callable(warmup) or not callable(signals):
        raise StrategyError(f"strategy {name}: must define warmup(p) and signals(bars, p)")
    defaults = scope.get("PARAMETERS")
    if not isinstance(defaults, dict):
        raise StrategyError(f"strategy {name}: must define PARAMETERS, a dict of numbers")
    numbers: dict[str, float | int] = {}
    for key, value in cast("dict[Any, Any]", defaults).items():
        if not isinstance(key, str) or type(value) not in {int, float}:
            raise StrategyError(f"strategy {name}: PARAMETERS[{key!r}] is not a number")
        numbers[key] = value
    return (
        StrategyCode(
            cast("Callable[[Numbers], int]", warmup),
            cast("Callable[[Any, Numbers], Any]", signals),
        ),
        numbers,
    )


def with_defaults(spec: StrategySpec, defaults: Numbers) -> StrategySpec:
    """The strategy with its file's PARAMETERS where the policy sets none.

    Raises StrategyError for a number that neither the file knows nor a rule beside it.
    """
    unknown = sorted(set(spec.numbers) - set(defaults) - _numbers_of_rules(spec))
    if unknown:
        raise StrategyError(
            f"strategy {spec.name}: {spec.source} has no parameter {', '.join(unknown)} "
            f"(it has {', '.join(sorted(defaults))})"
        )
    return replace(spec, numbers={**defaults, **spec.numbers})


def _numbers_of_rules(spec: StrategySpec) -> set[str]:
    """Names of the numbers that the strategy's rules read (`$name` in their program)."""
    nodes: list[Any] = spec.program.get("nodes", [])
    numbers: list[str] = [text for node in nodes for text in node[3]]
    return {text[1:] for text in numbers if text.startswith("$")}

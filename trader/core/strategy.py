"""Strategy files: how a user's Python becomes two functions, and what they may see.

Lives here: compiling a strategy's source text (kept in the journal, so that a replay runs the very
text that decided) and the read-only window of closed bars it is given. Must not live here: reading
files, and what is done with a signal.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import CodeType
from typing import Any, cast

from trader.core.parameters import StrategyCode, StrategySpec
from trader.core.rule_kernels import price_rows
from trader.core.series import Series

# What code of a user may raise while it decides: anything, classes of its own among them. One
# strategy that fails must not keep the exits of the others from being looked after.
USER_CODE_ERRORS = (Exception,)

Numbers = Mapping[str, float | int]
PRICES = frozenset({"open", "high", "low", "close"})
FLOAT_EXACT = 2**53  # whole numbers up to here are exact as floats


class StrategyError(ValueError):
    """A strategy file that cannot be used; says why."""


class Window:
    """Closed bars as a strategy sees them: float64 columns it can read and not write.

    Attributes:
        open_ms: int64[n], open times, oldest first.
        open, high, low, close: float64[n], prices. volume: float64[n], base coins.

    Prices are made when they are first asked for.
    """

    __slots__ = (
        "_first", "_made", "_series", "_stop", "close", "high", "low", "open", "open_ms", "volume",
    )  # fmt: skip

    open_ms: memoryview[int]
    open: memoryview[float]
    high: memoryview[float]
    low: memoryview[float]
    close: memoryview[float]
    volume: memoryview[float]

    def __init__(self, series: Series, first: int = 0, stop: int | None = None) -> None:
        """Rows [first, stop) of a series; prices become the nearest floats of their decimals."""
        self._series = series
        self._first = first
        self._stop = len(series) if stop is None else stop
        self._made: set[str] = set()
        self.open_ms = memoryview(series.open_ms)[first : self._stop].toreadonly()
        volume = memoryview(series.volume)[first : self._stop].toreadonly()
        self.volume = cast("memoryview[float]", volume)

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.open_ms)

    def part(self, first: int, stop: int) -> Window:
        """Rows [first, stop) of these; prices that were made already are shared."""
        made = Window(self._series, self._first + first, self._first + stop)
        for name in PRICES:
            if name in self._made:
                setattr(made, name, getattr(self, name)[first:stop])
                made._made.add(name)
        return made

    def __getattr__(self, name: str) -> memoryview[float]:
        """A price column that was not asked for before."""
        if name not in PRICES:
            raise AttributeError(name)
        ticks: array[int] = getattr(self._series, name)
        column = price_column(ticks, self._series.tick, self._first, self._stop)
        view = cast("memoryview[float]", memoryview(column).toreadonly())
        setattr(self, name, view)
        self._made.add(name)
        return view


def price_column(ticks: array[int], tick: Decimal, first: int, stop: int) -> array[float]:
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

    Raises StrategyError for a number that the file does not know.
    """
    unknown = sorted(set(spec.numbers) - set(defaults))
    if unknown:
        raise StrategyError(
            f"strategy {spec.name}: {spec.source} has no parameter {', '.join(unknown)} "
            f"(it has {', '.join(sorted(defaults))})"
        )
    return replace(spec, numbers={**defaults, **spec.numbers})

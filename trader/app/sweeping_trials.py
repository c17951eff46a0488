"""The trials of a sweep: which values each one tries, known by its number alone.

Lives here: axes (a parameter with its values), the grid over them, a random draw from it that is
the same on every machine, lists of a user, conditions that trials must keep. A trial is a point of
the grid, so that a hundred thousand of them cost a number each. Must not live here: running them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from pathlib import Path

from trader.core.parameters import Parameters, StrategySpec
from trader.errors import UsageError
from trader.policy.coherence_sweeps import bad_value
from trader.policy.fields import close_to
from trader.policy.quantities import BadText
from trader.policy.sweep_ranges import SweepSpec, Where, range_text, range_values, read_where
from trader.records import dataclass, replace

TRIALS_MAX = 100_000
# A grid is gone through point by point where conditions thin it out.
POINTS_MAX = 1_000_000
# A draw from a larger one gives up when conditions let so few points through.
DRAWS_MAX = 1_000
LIST_BYTES_MAX = 64 << 20
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter and the values that are tried, decimal texts in order."""

    strategy: str
    parameter: str
    values: tuple[str, ...]
    decimal: bool

    @property
    def name(self) -> str:
        """`strategy.parameter`."""
        return f"{self.strategy}.{self.parameter}"

    def number(self, value: str) -> float | int:
        """A value as the strategy gets it: of one kind for all of an axis."""
        return float(value) if self.decimal else int(value)


@dataclass(frozen=True, slots=True)
class Trials:
    """What is tried: trial `i` is point `points[i]` of the grid over `axes`, the last the fastest.

    `how`: grid, random or list; `seed`: of a random draw. `where`: conditions, as text.
    """

    axes: tuple[Axis, ...]
    points: Sequence[int]
    how: str = "grid"
    seed: int = 0
    where: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many."""
        return len(self.points)

    def values(self, trial: int) -> tuple[str, ...]:
        """What a trial tries, in the order of the axes."""
        return point_values(self.axes, self.points[trial])

    def parameters(self, base: Parameters, trial: int) -> Parameters:
        """The parameters of a trial: those of `base` with the numbers of its strategies put in."""
        wanted: dict[str, dict[str, float | int]] = {}
        for axis, value in zip(self.axes, self.values(trial), strict=True):
            wanted.setdefault(axis.strategy, {})[axis.parameter] = axis.number(value)
        return _with_numbers(base, wanted)


def _with_numbers(base: Parameters, wanted: Mapping[str, Mapping[str, float | int]]) -> Parameters:
    specs = tuple(
        replace(spec, numbers={**spec.numbers, **wanted[spec.name]})
        if spec.name in wanted
        else spec
        for spec in base.strategies
    )
    return replace(base, strategies=specs)


def point_values(axes: Sequence[Axis], point: int) -> tuple[str, ...]:
    """The values of a point of the grid."""
    found: list[str] = []
    for axis in reversed(axes):
        point, at = divmod(point, len(axis.values))
        found.append(axis.values[at])
    return tuple(reversed(found))


def grid_size(axes: Sequence[Axis]) -> int:
    """How many points the grid over axes has."""
    return reduce(lambda size, axis: size * len(axis.values), axes, 1)


# --- what is declared, and what the command line says instead ------------------------------------


class Ground:
    """The parameters that a run's strategies have, and the names that people may use for them."""

    def __init__(self, specs: Sequence[StrategySpec]) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self.known = {
            f"{spec.name}.{name}": number for spec in specs for name, number in spec.numbers.items()
        }

    def full(self, name: str, said: str) -> str:
        """`strategy.parameter` for a name that may lack its strategy; raises UsageError."""
        if name in self.known:
            return name
        short = [full for full in self.known if full.partition(".")[2] == name]
        if len(short) == 1:
            return short[0]
        if len(short) > 1:
            raise UsageError(
                f"{said}: {name} is a parameter of several strategies",
                f"write {' or '.join(short)}",
            )
        words = [*self.known, *(full.partition(".")[2] for full in self.known)]
        hint = close_to(name, words) or f"known are: {', '.join(sorted(self.known)) or 'none'}"
        raise UsageError(f"{said}: no strategy of this run has a parameter {name!r}", hint)

    def axis(self, full: str, text: str) -> Axis:
        """The axis of a canonical range."""
        strategy, _, parameter = full.partition(".")
        values = range_values(text)
        decimal = isinstance(self.known[full], float) or any("." in value for value in values)
        return Axis(strategy, parameter, values, decimal)

    def checked(self, full: str, text: str, said: str) -> Axis:
        """The same; raises UsageError for a value that the strategy's rules cannot take."""
        strategy, _, parameter = full.partition(".")
        why = bad_value(self.specs[strategy].program, parameter, text)
        if why:
            raise UsageError(f"{said}: {full} cannot be {text}: {why}", "take other values")
        return self.axis(full, text)


def read_axes(
    specs: Sequence[StrategySpec], declared: Mapping[str, SweepSpec], given: Sequence[str]
) -> tuple[Axis, ...]:
    """The axes of a run: the ranges of its strategies, those of `given` (NAME=RANGE) instead.

    Raises UsageError.
    """
    ground = Ground(specs)
    ranges: dict[str, tuple[str, str]] = {}
    for spec in specs:
        for name, text in declared[spec.name].ranges.items() if spec.name in declared else ():
            said = f"strategies.{spec.name}.sweep"
            ranges[ground.full(f"{spec.name}.{name}", said)] = (text, said)
    for each in given:
        name, mark, text = each.partition("=")
        if not mark:
            raise UsageError(f"--param {each!r} has no =", "write NAME=5:50:5, or NAME=20,50,100")
        full = ground.full(name.strip(), "--param")
        try:
            ranges[full] = (range_text(text), "--param")
        except BadText as error:
            raise UsageError(f"--param {name}: {error.message}", error.hint) from error
    if not ranges:
        raise UsageError(
            "nothing is swept: no strategy of this run declares sweep.ranges",
            "write sweep: {ranges: {fast: 5:50:5}} in strategies.yaml, or --param NAME=5:50:5",
        )
    return tuple(ground.checked(full, text, said) for full, (text, said) in ranges.items())


def read_conditions(
    specs: Sequence[StrategySpec], declared: Mapping[str, SweepSpec], given: Sequence[str]
) -> tuple[Where, ...]:
    """The conditions of a run with whole names; raises UsageError."""
    ground = Ground(specs)
    found: list[Where] = []
    for spec in specs:
        for text in declared[spec.name].where if spec.name in declared else ():
            where = read_where(text)
            names = {
                n: ground.full(f"{spec.name}.{n}", f"sweep.where {text!r}") for n in where.names
            }
            found.append(where.renamed(names))
    for text in given:
        try:
            where = read_where(text)
        except BadText as error:
            raise UsageError(f"--where: {error.message}", error.hint) from error
        names = {name: ground.full(name, f"--where {text!r}") for name in where.names}
        found.append(where.renamed(names))
    return tuple(found)


class Conditions:
    """Conditions over the values of axes; parameters that no axis moves keep their number."""

    def __init__(
        self, axes: Sequence[Axis], wheres: Sequence[Where], specs: Sequence[StrategySpec]
    ) -> None:
        self.axes = tuple(axes)
        self.wheres = tuple(wheres)
        swept = {axis.name for axis in axes}
        self.fixed = {
            name: f"{number!r}" for name, number in Ground(specs).known.items() if name not in swept
        }

    def keeps(self, point: int) -> bool:
        """Whether a point keeps all of them."""
        if not self.wheres:
            return True
        names = (axis.name for axis in self.axes)
        values = dict(zip(names, point_values(self.axes, point), strict=True))
        told = {**self.fixed, **values}
        return all(where.holds(told) for where in self.wheres)

    @property
    def texts(self) -> tuple[str, ...]:
        """As text, for the record."""
        return tuple(str(where) for where in self.wheres)


# --- grid, draw and list -------------------------------------------------------------------------


def grid(conditions: Conditions) -> Trials:
    """Every point that keeps the conditions, in order; raises UsageError."""
    axes = conditions.axes
    size = grid_size(axes)
    if size > (POINTS_MAX if conditions.wheres else TRIALS_MAX):
        raise too_many(axes, size)
    points: Sequence[int] = range(size)
    if conditions.wheres:
        points = [point for point in range(size) if conditions.keeps(point)]
    if not points:
        told = " and ".join(conditions.texts)
        raise UsageError(f"no point of the grid keeps {told}", "widen the ranges, or drop one")
    if len(points) > TRIALS_MAX:
        raise too_many(axes, len(points))
    return Trials(axes, points, "grid", 0, conditions.texts)


def too_many(axes: Sequence[Axis], size: int) -> UsageError:
    """More trials than one sweep makes."""
    told = " x ".join(f"{len(axis.values)} {axis.parameter}" for axis in axes)
    count = f"{size:,}" if size < 10**15 else "more than 10^15"
    return UsageError(
        f"the grid has {count} trials ({told}); at most {TRIALS_MAX:,}",
        "take larger steps, or draw from it with --random 1000",
    )


def draw(conditions: Conditions, count: int, seed: int) -> Trials:
    """`count` different points drawn with a seed; a longer draw begins with a shorter one.

    Raises UsageError.
    """
    if not 1 <= count <= TRIALS_MAX:
        raise UsageError(f"--random {count} is out of range", f"1 to {TRIALS_MAX:,}")
    axes = conditions.axes
    size = grid_size(axes)
    words = splitmix64(seed)
    if size > POINTS_MAX:
        points = _drawn_by_trying(conditions, size, count, words)
    else:
        kept = [point for point in range(size) if conditions.keeps(point)]
        if count > len(kept):
            raise UsageError(
                f"--random {count}: only {len(kept)} points keep the ranges and conditions",
                "draw fewer, or run them all with --grid",
            )
        for at in range(count):
            other = at + below(len(kept) - at, words)
            kept[at], kept[other] = kept[other], kept[at]
        points = kept[:count]
    return Trials(axes, points, "random", seed, conditions.texts)


def _drawn_by_trying(
    conditions: Conditions, size: int, count: int, words: Iterator[int]
) -> list[int]:
    points: dict[int, None] = {}
    for _ in range(DRAWS_MAX * count):
        point = below(size, words)
        if point not in points and conditions.keeps(point):
            points[point] = None
            if len(points) == count:
                return list(points)
    raise UsageError(
        f"--random {count}: the conditions let hardly a point through", "narrow the ranges instead"
    )


def splitmix64(seed: int) -> Iterator[int]:
    """Words of 64 bits: Steele, Lea and Flood's SplitMix64, the same on every machine."""
    state = seed & _MASK
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        word = state
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
        yield word ^ (word >> 31)


def below(size: int, words: Iterator[int]) -> int:
    """A number of [0, size), each as likely: what falls outside is drawn again."""
    bits = (size - 1).bit_length()
    while True:
        value = 0
        for _ in range(-(-bits // 64)):
            value = (value << 64) | next(words)
        value >>= -(-bits // 64) * 64 - bits
        if value < size:
            return value


def listed(path: Path, specs: Sequence[StrategySpec], wheres: Sequence[Where]) -> Trials:
    """The rows of a CSV file whose header names parameters; raises UsageError."""
    ground = Ground(specs)
    try:
        if path.stat().st_size > LIST_BYTES_MAX:
            raise UsageError(f"{path} is larger than {LIST_BYTES_MAX} bytes", "give a shorter list")
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [
                row for row in csv.reader(stream, strict=True) if any(cell.strip() for cell in row)
            ]
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "name a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is not CSV text ({error})", "save it as UTF-8 CSV") from error
    if len(rows) < 2:
        raise UsageError(f"{path} lists no trial", "a header of parameters, then a row for each")
    if len(rows) - 1 > TRIALS_MAX:
        raise UsageError(f"{path} lists {len(rows) - 1:,} trials", f"at most {TRIALS_MAX:,}")
    names = [ground.full(cell.strip(), f"{path}") for cell in rows[0]]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise UsageError(f"{path} names {twice} in two columns", "keep one")
    return _of_rows(path, ground, names, rows[1:], wheres)


def _of_rows(
    path: Path,
    ground: Ground,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    wheres: Sequence[Where],
) -> Trials:
    told = [_cells(path, number, names, row) for number, row in enumerate(rows, 2)]
    axes: list[Axis] = []
    for at, name in enumerate(names):
        values = sorted({row[at] for row in told}, key=float)
        for value in (values[0], *(v for v in values if "." in v), values[-1]):
            ground.checked(name, value, f"{path}")
        axes.append(ground.axis(name, ",".join(values)))
    places = [{value: at for at, value in enumerate(axis.values)} for axis in axes]
    points: list[int] = []
    for row in told:
        point = 0
        for axis, place, value in zip(axes, places, row, strict=True):
            point = point * len(axis.values) + place[value]
        points.append(point)
    order = sorted(range(len(points)), key=points.__getitem__)
    for one, other in pairwise(order):
        if points[one] == points[other]:
            first, again = sorted((one + 2, other + 2))
            raise UsageError(f"{path}: row {again} is row {first} again", "list each trial once")
    conditions = Conditions(axes, wheres, list(ground.specs.values()))
    for number, point in enumerate(points, 2):
        if not conditions.keeps(point):
            raise UsageError(
                f"{path}: row {number} does not keep {' and '.join(conditions.texts)}",
                "remove it, or the condition",
            )
    return Trials(tuple(axes), points, "list", 0, conditions.texts)


def _cells(path: Path, number: int, names: Sequence[str], row: Sequence[str]) -> list[str]:
    if len(row) != len(names):
        raise UsageError(
            f"{path}: row {number} has {len(row)} cells, the header {len(names)}", "one for each"
        )
    cells: list[str] = []
    for name, cell in zip(names, row, strict=True):
        try:
            text = range_text(cell)
        except BadText as error:
            raise UsageError(
                f"{path}: row {number}, {name}: {error.message}", error.hint
            ) from error
        if ":" in text or "," in text:
            raise UsageError(f"{path}: row {number}, {name}: {cell!r} is not one number", "")
        cells.append(text)
    return cells

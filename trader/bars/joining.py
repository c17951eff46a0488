"""Two series of one instrument and timeframe become one.

Lives here: bringing both on one tick, counting what is equal, and naming what differs: of two
different bars for one time neither is guessed to be the right one. Must not live here: files.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from math import gcd
from operator import lt

from trader.bars.names import step_name
from trader.bars.stamps import utc_text
from trader.core.money import AMOUNT_MAX
from trader.core.series import BarRow, Series, build_series
from trader.errors import DataError
from trader.records import dataclass

_COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Joined:
    """One series of two.

    Attributes:
        added: bars that only the second had. equal: bars that both had alike.
        replaced: bars that differed and are now as the second has them.
    """

    series: Series
    added: int
    equal: int
    replaced: int


def join(old: Series, new: Series, *, replace: bool, where: str) -> Joined:
    """Every bar of either. Raises DataError naming the first bar that they have differently, unless
    the second is to replace it, and when no tick holds both; `where`: where the second is from."""
    tick = common_tick(old.tick, new.tick)
    old, new = on_tick(old, tick), on_tick(new, tick)
    if not len(old) or not len(new):
        return Joined(new if len(new) else old, len(new), 0, 0)
    # Only where they overlap is a bar looked at; what lies before and after is copied whole.
    first, last = new.open_ms[0], new.open_ms[-1]
    begin, end = bisect_left(old.open_ms, first), bisect_left(old.open_ms, last + 1)
    start, stop = _span(new, old.open_ms[0], old.open_ms[-1])
    before, after = old.slice(0, begin), old.slice(end, len(old))
    theirs = new.slice(start, stop)
    middle, equal, differing = _merge(old.slice(begin, end), theirs)
    if differing and not replace:
        raise _contradiction(old, differing, where)
    pieces = [before, new.slice(0, start), middle, new.slice(stop, len(new)), after]
    added = len(new) - equal - len(differing)
    return Joined(_together(old, pieces), added, equal, len(differing))


def common_tick(one: Decimal, other: Decimal) -> Decimal:
    """The largest tick of which both are multiples."""
    if one == other:
        return one
    left, right = Fraction(one), Fraction(other)
    top = gcd(left.numerator * right.denominator, right.numerator * left.denominator)
    found = Fraction(top, left.denominator * right.denominator)
    return (Decimal(found.numerator) / Decimal(found.denominator)).normalize()


def on_tick(series: Series, tick: Decimal) -> Series:
    """The same prices counted in another tick, of which the series' own is a multiple.

    Raises DataError when they do not fit in 64 bits.
    """
    if series.tick == tick:
        return series
    times, rest = divmod(Fraction(series.tick), Fraction(tick))
    if rest:
        raise ValueError(f"{series.tick} is no multiple of {tick}")
    if max(series.high, default=0) * times >= AMOUNT_MAX:
        raise DataError(
            f"{series.symbol}: prices in steps of {tick:f} do not fit in 64 bits",
            "round the finer prices, or keep the two apart",
        )
    columns = (series.open, series.high, series.low, series.close)
    opened, high, low, close = (array("q", [v * times for v in column]) for column in columns)
    return Series(
        series.symbol, series.step_ms, tick, series.open_ms, opened, high, low, close, series.volume
    )


def _span(series: Series, first_ms: int, last_ms: int) -> tuple[int, int]:
    """Indexes [start, stop) of the bars that open within [first_ms, last_ms]."""
    return bisect_left(series.open_ms, first_ms), bisect_left(series.open_ms, last_ms + 1)


def _merge(old: Series, new: Series) -> tuple[Series, int, list[tuple[BarRow, BarRow]]]:
    """(both, the second's bars where they differ; how many are equal; (old, new) that differ)."""
    if len(old) == len(new) and _equal(old, new):
        return new, len(new), []
    rows = {row[0]: row for row in old.rows()}
    equal = 0
    differing: list[tuple[BarRow, BarRow]] = []
    for row in new.rows():
        known = rows.get(row[0], row)
        if known is not row:
            equal += known == row
            if known != row:
                differing.append((known, row))
        rows[row[0]] = row
    return (
        build_series(old.symbol, old.step_ms, old.tick, (rows[at] for at in sorted(rows))),
        equal,
        differing,
    )


def _equal(old: Series, new: Series) -> bool:
    return all(bytes(getattr(old, name)) == bytes(getattr(new, name)) for name in _COLUMNS)


def _together(like: Series, pieces: Sequence[Series]) -> Series:
    """Pieces whose times follow each other, as one; mapped columns become copies."""
    full = [piece for piece in pieces if len(piece)]
    if len(full) == 1:
        return full[0]
    columns: list[array[int]] = []
    for name in _COLUMNS[:5]:
        column = array("q")
        for piece in full:
            column.frombytes(bytes(memoryview(getattr(piece, name)).cast("B")))
        columns.append(column)
    volume = array("d")
    for piece in full:
        volume.frombytes(bytes(memoryview(piece.volume).cast("B")))
    opens, opened, high, low, close = columns
    assert all(map(lt, opens, islice(opens, 1, None))), "joined bars are not in order"
    return Series(like.symbol, like.step_ms, like.tick, opens, opened, high, low, close, volume)


def _contradiction(series: Series, differing: list[tuple[BarRow, BarRow]], where: str) -> DataError:
    old, new = differing[0]
    more = f" (and {len(differing) - 1} more bars)" if len(differing) > 1 else ""
    return DataError(
        f"{series.symbol} {step_name(series.step_ms)}: the bar of {utc_text(old[0])} is kept as "
        f"{_shown(old, series.tick)}, {where} has {_shown(new, series.tick)}{more}",
        "find out which is right; --replace takes the new one",
    )


def _shown(row: BarRow, tick: Decimal) -> str:
    prices = " ".join(f"{value * tick:f}" for value in row[1:5])
    return f"{prices} volume {row[5]:g}"

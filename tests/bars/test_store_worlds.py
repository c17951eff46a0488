"""Random lives of kept bars against a plain dictionary: imports, pages, folds, cuts and crashes."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest

from trader.bars.joining import on_tick
from trader.bars.store import BarStore, Page, Writer, missing_spans, united
from trader.core.series import BarRow, Series, build_series
from trader.errors import DataError

M = 60_000
T0 = 1_699_920_000_000
TICKS = ("0.01", "0.001", "0.05", "0.5")
FINE = Decimal("0.001")
PAIR = ("BTC/USDT", "1m")
Bar = tuple[int, int, int, int, int, float]


class World:
    """The store, and what it should hold: bars counted in thousandths, and covered minutes."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)
        self.store = BarStore(folder)
        self.bars: dict[int, Bar] = {}
        self.covered: set[int] = set()
        self.page_sizes: list[tuple[set[int], dict[int, Bar]]] = []

    def made(self) -> Series:
        """Some minutes; a third of the times with a bar that differs from the usual one."""
        tick = Decimal(self.draw.choice(TICKS))
        start = self.draw.randrange(60)
        minutes = [n for n in range(start, start + self.draw.randrange(1, 15)) if n % 7]
        odd = self.draw.random() < 0.3
        rows: list[BarRow] = []
        for minute in minutes or [start | 1]:
            # Multiples of every tick: equal minutes are equal however they are counted.
            low, high = (int((50 + minute + 100 * odd + more) / tick) for more in (0, 2))
            rows.append((T0 + minute * M, low, high, low, high, minute / 4))
        return build_series(PAIR[0], M, tick, rows)

    def differs(self, series: Series) -> bool:
        """Whether a bar is there that is kept in another way."""
        return any(at in self.bars and self.bars[at] != row for at, row in plain(series).items())

    def expect(self) -> None:
        """What is read is what should be there."""
        kept = self.store.load(*PAIR)
        assert (plain(kept.series) if kept else {}) == dict(sorted(self.bars.items()))
        spans = kept.covered if kept else ()
        assert {at for start, end in spans for at in range(start, end, M)} == self.covered
        assert spans == united(spans)
        assert not missing_spans(spans, T0, T0) or self.covered

    def act(self, writer: Writer) -> None:
        """One thing that a process may do to kept bars."""
        series = self.made()
        replace = self.draw.random() < 0.5
        refused = self.differs(series) and not replace
        rows = plain(series)
        first, last = min(rows), max(rows)
        page = Page(tuple(series.rows()), series.tick, (first, last + M), "venue")
        try:
            if self.draw.random() < 0.4:
                source = {"what": "file", "sha": "1", "rows": len(series)}
                writer.add(series, source, replace=replace)
            else:
                writer.append(page, replace=replace)
                self.covered |= set(range(first, last + M, M))
            done = True
        except DataError:
            done = False
        assert done == (not refused)
        if done:
            self.bars |= rows


def plain(series: Series) -> dict[int, Bar]:
    """Bars by their time, counted in thousandths."""
    return {row[0]: row for row in on_tick(series, FINE).rows()}


@pytest.mark.parametrize("seed", range(20))
def test_a_random_life_of_kept_bars_loses_and_invents_nothing(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    for _ in range(4):
        with world.store.writing(*PAIR) as writer:
            for _ in range(world.draw.randrange(1, 7)):
                world.act(writer)
                world.expect()
            if world.draw.random() < 0.5:
                writer.fold()
                world.expect()
        world.expect()


@pytest.mark.parametrize("seed", range(20))
def test_pages_cut_anywhere_lose_the_cut_ones_only(tmp_path: Path, seed: int) -> None:
    """Each cut is read as the pages before it, and the next writer goes on from there."""
    draw = random.Random(seed)
    store = BarStore(tmp_path)
    ends = [0]
    with store.writing(*PAIR) as writer:
        for number in range(5):
            rows = tuple((T0 + (3 * number + n) * M, 5, 6, 4, 5, 1.0) for n in range(3))
            start = T0 + 3 * number * M
            writer.append(Page(rows, FINE, (start, start + 3 * M), "venue"))
            ends.append(store.place(*PAIR).with_suffix(".pages").stat().st_size)
    pages = store.place(*PAIR).with_suffix(".pages")
    cut = draw.randrange(ends[-1])
    pages.write_bytes(pages.read_bytes()[:cut])
    # A line is whole without its line break, too.
    whole = sum(end - 1 <= cut for end in ends[1:])
    kept = store.load(*PAIR)
    assert (len(kept.series) if kept else 0) == 3 * whole
    assert bool(kept and kept.notes) == (whole > 0 and cut not in {ends[whole], ends[whole] - 1})
    with store.writing(*PAIR) as writer:
        start = T0 + 3 * whole * M
        writer.append(Page(((start, 5, 6, 4, 5, 1.0),), FINE, (start, start + M), "venue"))
    kept = store.load(*PAIR)
    assert kept is not None
    assert len(kept.series) == 3 * whole + 1
    assert kept.notes == ()

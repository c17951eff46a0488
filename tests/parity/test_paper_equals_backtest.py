"""A venue that quotes as the back-test's model does: paper and back-test trade the same fills."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR
from pathlib import Path

from tests.app.kill_world import FakeClock
from tests.app.trail_world import (
    CENT,
    MINUTE_MS,
    START_MS,
    D,
    MadeMarket,
    TrailWorld,
    load_pass,
    write_config,
)
from trader.app.parity import parity
from trader.app.parity_causes import Cause
from trader.domain.market import Quote
from trader.journal.journal import Journal
from trader.venues.paper_venue import PaperVenue

CYCLES = 90


class ModelledMarket(MadeMarket):
    """Quotes two basis points around the newest close, which is where the next bar opens."""

    def fetch_quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """As the model makes them."""
        now_ms = self.clock.now_ms()
        open_ms = now_ms // MINUTE_MS * MINUTE_MS - MINUTE_MS
        quotes: dict[str, Quote] = {}
        for symbol in symbols:
            close = self._minute(symbol, open_ms)[3]
            bid = (close * D("0.9999")).quantize(CENT, ROUND_FLOOR)
            ask = (close * D("1.0001")).quantize(CENT, ROUND_CEILING)
            quotes[symbol] = Quote(symbol, now_ms, bid, ask, D(50), D(50))
        return quotes


def test_every_decision_order_and_fill_of_paper_is_the_back_test_s(tmp_path: Path) -> None:
    clock = FakeClock(START_MS + 5_000)
    write_config(tmp_path)
    market = ModelledMarket(clock)
    venue = PaperVenue(market, tmp_path / "paper.json", clock.now_ms, {"USDT": "10000"})
    world = TrailWorld(tmp_path, clock, market, load_pass(tmp_path, clock, {}), venue)
    world.run(CYCLES)
    with Journal.open(world.journal_path, read_only=True) as journal:
        report = parity([journal])
        sent, fills = len(journal.orders()), len(journal.fills())
    assert report.proven, report.row()
    assert (report.plans, report.bars) == (CYCLES, CYCLES)
    assert report.orders >= sent > 10
    assert fills > 10
    # All that differs is the trail's hash: the venue tells how much it offers, and when it did.
    assert {(found.what, found.where) for found in report.differences} == {("numbers", "trail")}
    causes = {cause for found in report.differences for cause in found.causes}
    assert causes <= {Cause.QUOTE, Cause.CLOCK}

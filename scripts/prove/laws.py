#!/usr/bin/env python3
"""Claim: on every bar of every back-test the books are what the fills make them.

Random policies on random bars under random models of the venue, and stretches of real files. A
ledger that shares nothing with the core (`laws_ledger`, in fractions) is fed with the fills alone;
on every bar: equity = cash + positions at their price, the sum of fees = the fees in the books, no
strategy has sold more than it held. Each fill, before spread, slippage and fee, lies inside the low
and the high of its bar (at the open or close of it, where it took), costs what the model says, and
with all others of its bar is no more than the share that may fill; nothing fills without a bar or
without volume. Then the fast engine runs the same and must tell the same curve and fills.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from equal_cases import Case, made_case
from fast_equals_reference import real_cases
from harness import Verdict, parser_of, prove, say
from laws_ledger import Broken, Ledger
from laws_models import drawn_model, with_detail

from trader.app.backtest import BacktestRun, run_backtest
from trader.core.parameters import EntryStyle
from trader.errors import DataError

ROWS_MAX = 160
QUICK_SECONDS = 13


class LawfulRun(BacktestRun):
    """The reference's run, held against the ledger on every bar."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.inputs)
        self.ledger = Ledger(case.inputs)
        self.looked = 0

    def record(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Every fact, in order."""
        super().record(kind, payload)
        self.ledger.see(kind, payload)

    def look(self, equity_units: int | None) -> None:
        """The laws, now; `equity_units`: as it was told, unless something filled since."""
        unit, state = self.ledger.unit, self.state
        if self.ledger.cash != state.cash_units * unit:
            raise Broken(f"cash is {state.cash_units * unit}, the fills say {self.ledger.cash}")
        fees = sum(book.fees_units for book in state.books.values())
        if self.ledger.fees != fees * unit:
            raise Broken(f"fees are {fees * unit}, the fills say {self.ledger.fees}")
        if equity_units is not None:
            exact = self.ledger.equity(self.closes)
            told = equity_units * unit
            # Each position is rounded down, by less than two units.
            if not told <= exact < told + (2 * len(state.positions) + 1) * unit:
                raise Broken(f"equity is {told}, the fills say {exact}")
        self.looked += 1

    def _mark(self, bar_ms: int) -> int:
        units = super()._mark(bar_ms)
        self.look(units)
        return units


@dataclass
class Found:
    """What came of it."""

    cases: int = 0
    bars: int = 0
    fills: int = 0
    resting: int = 0
    closed: int = 0
    bounded: int = 0
    fast: int = 0
    models: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])

    def check(self, case: Case) -> None:
        """One case under both engines."""
        run = LawfulRun(case)
        try:
            result = run.run(None)
            run.look(result.curve_units[-1] if run.ledger.closed_last else None)
            fast = run_backtest(case.inputs, engine="fast")
            if list(fast.curve_units) != list(result.curve_units):
                raise Broken("the fast engine tells another curve")
            if fast.fills.rows != result.fills.rows or fast.fills.names != result.fills.names:
                raise Broken("the fast engine tells other fills")
            self.fast += len(fast.fills)
        except DataError:
            return
        except Broken as broken:
            self.failures.append(f"{case.name}: {broken}")
            say(f"case {case.name}: {broken}; {case.inputs.model}")
        ledger = run.ledger
        self.cases += 1
        self.bars += run.looked
        self.fills += ledger.fills
        self.resting += ledger.resting
        self.closed += ledger.closed
        self.bounded += ledger.parts
        self.models.update(_words(case))


def modelled(case: Case, seed: int) -> Case:
    """The case under a model of its own, mostly with finer bars where a finer timeframe exists;
    makers now and then, so that more rests."""
    rng = random.Random(f"laws {seed} {case.name}")
    if rng.random() < 0.15:
        return case
    inputs = case.inputs
    series, detail = dict(inputs.series), ""
    if rng.random() < 0.6:
        series, detail = with_detail(rng, case)
    model = replace(drawn_model(rng, case), detail=detail)
    known = inputs.instruments
    if model.fees.tiers:
        taker = Decimal(max(tier.taker_ppm for tier in model.fees.tiers)).scaleb(-6)
        maker = Decimal(max(tier.maker_ppm for tier in model.fees.tiers)).scaleb(-6)
        known = tuple(replace(one, fee_taker=taker, fee_maker=maker) for one in known)
    given = inputs.parameters
    if rng.random() < 0.4:
        resting = EntryStyle("maker", rng.choice((3, 30)) * given.step_ms, 2_000, 3)
        specs = tuple(replace(spec, style=resting) for spec in given.strategies)
        given = replace(given, strategies=specs)
    inputs = replace(inputs, model=model, series=series, instruments=known, parameters=given)
    return replace(case, inputs=inputs)


def _words(case: Case) -> list[str]:
    model = case.inputs.model
    told = {
        "plain": model.is_plain,
        "latency": model.latency_bars > 1,
        "at_close": model.latency_bars == 0,
        "share": model.volume.share_ppm > 0,
        "impact": model.slippage.impact_ppm > 0,
        "tiers": bool(model.fees.tiers),
        "coin": model.fees.coin is not None,
        "detail": bool(model.detail),
        "stops": model.stops,
        "closing": "close" in {model.at_end, model.delisted},
    }
    return [word for word, holds in told.items() if holds]


def run(given: argparse.Namespace) -> Verdict:
    """Made cases until the time is over, and real files."""
    found, started = Found(), time.monotonic()
    for case in real_cases(given.seed, 1, quick=given.quick):
        found.check(modelled(case, given.seed))
        if given.quick and time.monotonic() - started > QUICK_SECONDS / 3:
            break
    numbers = range(given.cases) if given.only is None else (given.only,)
    for number in numbers:
        found.check(modelled(made_case(given.seed, number, ROWS_MAX), given.seed))
        if given.quick and time.monotonic() - started > QUICK_SECONDS:
            break
        if number % 100 == 99:
            say(f"{number + 1} cases, {found.fills} fills, {len(found.failures)} failures")
    figures = {
        "bars": found.bars,
        "fills": found.fills,
        "fills_at_rest": found.resting,
        "fills_of_the_end": found.closed,
        "bars_filled_to_their_share": found.bounded,
        "fills_of_the_fast_engine": found.fast,
        "models": dict(sorted(found.models.items())),
        "failures": found.failures[:10],
    }
    enough = bool(found.fills and found.resting)
    return Verdict(not found.failures and enough, found.cases, figures)


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = parser_of("laws", __doc__)
    parser.add_argument("--cases", type=int, default=1_000, help="how many made cases")
    parser.add_argument("--only", type=int, default=None, help="one made case")
    return prove("laws", run, parser, argv)


if __name__ == "__main__":
    sys.exit(main())

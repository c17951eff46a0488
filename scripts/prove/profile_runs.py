#!/usr/bin/env python3
"""Claim: under each ready profile an order is what the policy's words give by hand.

The shipped policy under both profiles is back-tested on four real files (on made minutes where they
do not lie beside the checkout). How often each answer was given is printed, and one decision is
walked: from the signal's numbers in the trail, with fractions and nothing of the program but the
numbers of the policy, to the quantity and the price of the order. Every other entry is worked out
the same way, without a word.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness import Verdict, parser_of, prove, say
from universe_trail import PROFILES, Ground, grounds_at_hand, inputs_of, read_files, start_of

from trader.app.backtest import open_books
from trader.app.backtest_inputs import BacktestInputs
from trader.core.membership import is_universe_row
from trader.core.plan import Plan
from trader.core.simulate import Simulation
from trader.core.snapshot import Snapshot

# What may be lost to the stop, by the words of the policy's documents.
CONSERVATIVE = Fraction(1, 100)
PPM = 10**6


@dataclass
class Tally:
    """What was seen over all runs."""

    decisions: int = 0
    entries: int = 0
    walked: int = 0
    runs: int = 0
    answers: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    problems: list[str] = field(default_factory=list[str])


def run(arguments: argparse.Namespace) -> Verdict:
    """Every ground under both profiles."""
    bars = 160 if arguments.quick else 1_500
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        grounds = grounds_at_hand(folder, arguments.seed)
        for ground in grounds:
            files = read_files(ground, folder, bars)
            for profile in PROFILES:
                inputs = inputs_of(ground, profile, files, folder)
                run_one(ground, profile, inputs, bars, tally)
    for problem in tally.problems[:20]:
        say(f"PROBLEM {problem}")
    holds = not tally.problems and tally.walked > 0 and tally.runs == 2 * len(grounds)
    figures = {"entries": tally.entries, "walked": tally.walked, "answers": tally.answers}
    return Verdict(holds, tally.decisions, {**figures, "problems": tally.problems[:20]})


def run_one(ground: Ground, profile: str, inputs: BacktestInputs, bars: int, tally: Tally) -> None:
    """Back-test so many decision bars; count the answers and work out the entries."""
    simulation = Simulation(
        inputs.parameters, inputs.strategies, inputs.series, open_books(inputs), inputs.model,
        lambda _kind, _payload: None,
    )  # fmt: skip
    name = f"{ground.name}, {profile}"
    counts: Counter[str] = Counter()
    shown = False
    chosen = simulation.decision_bars(start_of(ground), inputs.end_ms)[-bars:]
    for bar_ms in chosen:
        snapshot = simulation.snapshot(bar_ms)
        decided = simulation.decide_and_execute(bar_ms)
        told = [row.answer for row in decided.trail if not is_universe_row(row)]
        counts.update(answer.split(" ")[0] for answer in told)
        for entry in entries_of(decided):
            tally.entries += 1
            said, wrong = walked(snapshot, entry, profile)
            tally.walked += bool(said)
            tally.problems += [f"{name}, bar {bar_ms}: {what}" for what in wrong]
            if said and not shown:
                shown = True
                say("\n  ".join([f"{name}: one decision, bar {bar_ms}", *said]))
    say(f"{name}: {dict(counts.most_common())}")
    tally.answers[name] = dict(counts)
    tally.runs += 1
    tally.decisions += len(chosen)


def entries_of(decided: Plan) -> list[tuple[Any, Any]]:
    """(leg, its row of the trail) of each approved entry."""
    rows = [row for row in decided.trail if row.answer == "approved"]
    return [
        (leg, row)
        for leg, row in zip(decided.legs, rows, strict=True)
        if str(leg.proposal.side) == "buy"
    ]


def walked(snapshot: Snapshot, entry: tuple[Any, Any], profile: str) -> tuple[list[str], list[str]]:
    """One entry by hand: (how it goes, what is wrong with it)."""
    leg, row = entry
    limits = snapshot.parameters.limits
    asked = leg.proposal
    instrument = snapshot.state.instruments[asked.symbol]
    tick, lot, fee = (Fraction(str(instrument[key])) for key in ("tick", "lot", "fee_taker"))
    cash = Fraction(1, 10 ** snapshot.state.number("cash_digits"))
    close = row.seen["close_ticks"] * tick
    distance = Fraction(float.fromhex(row.seen["stop_distance"]))
    equity = row.asked["equity_units"] * cash
    slip = Fraction(limits.slippage_ppm, PPM)
    worst = close * (1 + slip) // tick * tick
    stop = close - distance // tick * tick
    exit_price = -(-(stop * (1 - slip)) // tick) * tick
    loss_of_coin = worst * (1 + fee) - exit_price * (1 - fee)
    share = CONSERVATIVE if profile == "conservative" else aggressive(equity)
    may_lose = equity * share * strength_of(row) * regime_of(row)
    cap = equity * Fraction(limits.position_ppm, PPM)
    by_risk, by_cap = may_lose / loss_of_coin, cap / (worst * (1 + fee))
    wanted = min(by_risk, by_cap)
    qty = Fraction(str(leg.qty))
    wrong: list[str] = []
    if row.asked.get("method") != profile:
        return [], []
    # Roundings of cash are against the order: it may be one lot below, never one above.
    if not wanted // lot * lot - lot <= qty <= wanted:
        wrong.append(f"{float(qty)} {asked.symbol}, by hand {float(wanted // lot * lot)}")
    if leg.price > worst or Fraction(str(leg.price)) * qty * (1 + fee) > cap:
        wrong.append(f"{leg.price} x {leg.qty} is above the worst price or the cap")
    if asked.stop_ticks * tick != stop:
        wrong.append(f"stop {float(asked.stop_ticks * tick)}, by hand {float(stop)}")
    allowed = f"{profile} may lose {float(share):.4%}, with strength and regime"
    said = [
        f"close {float(close)}, worst price {float(worst)} (slippage {float(slip):.2%})",
        f"stop {float(stop)}: {float(distance):.6g} below the close",
        f"equity {float(equity):.2f}: {allowed} {float(may_lose):.2f}",
        f"a coin loses {float(loss_of_coin):.4f} to its stop, so {float(by_risk):.6f} coins",
        f"the cap of a position {float(cap):.2f} pays for {float(by_cap):.6f} coins",
        f"the smaller, in lots of {float(lot)}: {float(wanted // lot * lot)}; ordered {leg.qty}",
    ]
    return said, wrong


def strength_of(row: Any) -> Fraction:
    """The signal's strength, down to a millionth; above 1 counts as 1."""
    strength = Fraction(float.fromhex(row.seen["strength"]))
    return min(Fraction(1), Fraction(int(strength * PPM), PPM))


def regime_of(row: Any) -> Fraction:
    """The factor that the market's regime put on the size."""
    return Fraction(row.asked.get("regime_ppm", PPM), PPM)


def aggressive(equity: Fraction) -> Fraction:
    """2 % up to 10,000, 0.5 % from 100,000 on, 2 % x 4^-((b - 10,000)/90,000) between."""
    most, least = Fraction(2, 100), Fraction(5, 1000)
    if equity <= 10_000:
        return most
    if equity >= 100_000:
        return least
    return Fraction(0.02 * 4.0 ** -((float(equity) - 10_000) / 90_000))


if __name__ == "__main__":
    sys.exit(prove("profile_runs", run, parser_of("profile_runs", __doc__)))

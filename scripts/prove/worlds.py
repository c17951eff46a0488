#!/usr/bin/env python3
"""Claim: in random worlds not one limit is ever breached, and a broken gate does not go unseen.

Each world is an account of its own, drawn from one seed: instruments with odd ticks and lots,
policies with tight limits that change in the middle, strategies that compete, prices that jump,
quotes that are old, crossed or missing, a venue that fills in part, rejects, loses answers and
tells of fills late, people who halt and resume, and restarts. The real core decides; an oracle
written from the words of the limits, in Decimal and with books of its own, judges every order that
was approved (each limit, all that is in flight counted in full), every refusal (it must have a
cause), every exit (gates of new risk never stop one) and every fill (no overshoot by all together).
Then gates are broken on purpose, one after another, and each must be caught.

A failure prints the command that plays its world again.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from harness import Verdict, parser_of, prove, say

WORLDS = 100_000
QUICK_WORLDS, QUICK_S = 1_500, 8.0
QUICK_BROKEN, QUICK_BROKEN_S = 4, 9.0
BROKEN_WORLDS, QUICK_BROKEN_WORLDS = 10_000, 700
# Codes whose limit is kept by how an order is made: it is approached, and the gate never says no.
KEPT_BEFORE = {
    "SLIPPAGE_CAP": "an order is priced at the cap at most",
    "QTY_MAX": "sizes are cut to the venue's largest quantity",
    "DUPLICATE_INTENT": "an id names one leg of one bar, and a bar is planned once",
}


def run(arguments: argparse.Namespace) -> Verdict:
    """Worlds first, then broken gates."""
    from worlds_broken import BROKEN, Broken
    from worlds_hunt import hunt
    from worlds_oracle import Tally
    from worlds_play import play_all

    from trader.build import describe

    quick = arguments.quick
    worlds = arguments.worlds or (QUICK_WORLDS if quick else WORLDS)
    total = Tally()
    for tally in play_all(arguments.seed, worlds, QUICK_S if quick else 10**9):
        before = total.told["worlds"]
        total.add(tally)
        if before // 10_000 != total.told["worlds"] // 10_000:
            say(f"{total.told['worlds']} worlds, {len(total.breaches)} breaches")
    for breach in total.breaches[:10]:
        say(breach)
    chosen: list[Broken] = list(BROKEN)
    if quick:
        chosen = [one for one in chosen if not one.rare]
        at = arguments.seed * QUICK_BROKEN
        chosen = [chosen[(at + step) % len(chosen)] for step in range(QUICK_BROKEN)]
    many = QUICK_BROKEN_WORLDS if quick else BROKEN_WORLDS
    seconds = QUICK_BROKEN_S if quick else 10**9
    caught = [] if arguments.no_broken else hunt(chosen, arguments.seed, many, seconds)
    for one in caught:
        seen = f"caught in world {one.worlds}" if one.worlds > 0 else one.breach or "NOT SEEN"
        say(f"broken: {one.name}: {seen}")
    vacuous = [] if quick else silent(total)
    for code in vacuous:
        say(f"never approached: {code}")
    unseen = [one.name for one in caught if not one.worlds]
    # The quick form may run out of time on a busy machine, but not before it has caught one.
    done = sum(1 for one in caught if one.worlds > 0)
    enough = arguments.no_broken or done >= (1 if quick else 20)
    figures: dict[str, Any] = {
        "form": describe(),
        "breaches": len(total.breaches),
        "decisions": total.told["decisions"],
        "approved": dict(total.approved.most_common()),
        "refused": dict(total.refused.most_common()),
        "near": dict(total.near.most_common()),
        "told": dict(total.told.most_common()),
        "never_approached": vacuous,
        "broken": {one.name: one.worlds for one in caught},
        "broken_unseen": unseen,
    }
    holds = not (total.breaches or vacuous or unseen) and enough
    return Verdict(holds, total.told["worlds"], figures)


def silent(total: Any) -> list[str]:
    """Gates without a rule, and rules that were never near their limit or never said no."""
    from worlds_oracle import ASKED
    from worlds_rules import RULES

    found = sorted(f"{code}: no rule" for code in ASKED if code not in RULES)
    for code in sorted(ASKED & set(RULES)):
        if not total.near[code]:
            found.append(f"{code}: no order came near its limit")
        if not total.refused[code] and code not in KEPT_BEFORE:
            found.append(f"{code}: it never refused")
    return found


def show_world(arguments: argparse.Namespace) -> int:
    """Play one world again, to look at it."""
    import decimal

    from worlds_play import DIGITS, play_one

    decimal.getcontext().prec = DIGITS
    tally, told = play_one(arguments.seed, arguments.world, arguments.decisions)
    for breach in tally.breaches:
        say(breach)
    print(json.dumps({"world": arguments.world, "digest": told, "breaches": tally.breaches}))
    return int(bool(tally.breaches))


def hunt_one(arguments: argparse.Namespace) -> int:
    """The child's part: one broken core, and worlds until one notices."""
    from worlds_hunt import break_core

    break_core(arguments.broken)
    from worlds_play import play_range

    for number in range(arguments.worlds):
        tally = play_range(arguments.seed, number, 1)
        if tally.breaches:
            print(json.dumps({"worlds": number + 1, "breach": tally.breaches[0]}))
            return 0
    print(json.dumps({"worlds": 0, "breach": ""}))
    return 0


if __name__ == "__main__":
    parser = parser_of("worlds", __doc__)
    parser.add_argument("--worlds", type=int, default=0, help="how many worlds")
    parser.add_argument("--world", type=int, default=-1, help="play this one world again")
    parser.add_argument("--decisions", type=int, default=8, help="of that world, so many")
    parser.add_argument("--no-broken", action="store_true", help="leave the broken gates out")
    parser.add_argument("--broken", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.broken:
        sys.exit(hunt_one(given))
    if given.world >= 0:
        sys.exit(show_world(given))
    sys.exit(prove("worlds", run, parser))

"""Rules of the universe and its regime, each with a bad and a good example.

Lives here: the table. Must not live here: rules of other files (see `incoherent`).
"""

from __future__ import annotations

from .incoherent_kinds import CALM, LOW, REGIME, TIERS, mild, of_file

OF_UNIVERSE = (
    of_file(
        "PAIR_TWICE",
        "universe",
        1,
        "BTC/USDT is named twice",
        "tiers: {core: {pairs: [BTC/USDT, BTC-USDT]}}\n",
        "tiers: {core: {pairs: [BTC/USDT, ETH/USDT]}}\n",
    ),
    of_file(
        "PAIR_QUOTE",
        "universe",
        3,
        "BTC/EUR settles in EUR",
        TIERS + "regime: {benchmark: BTC/EUR, states: {calm: {tiers: [core], risk: 100%}}}\n",
        TIERS + "regime: {benchmark: BTC/USDT, states: {calm: {tiers: [core], risk: 100%}}}\n",
    ),
    of_file(
        "PAIR_OUTSIDE_UNIVERSE",
        "strategies",
        1,
        "DOGE/USDT is in no tier",
        "cross: {instruments: [DOGE/USDT]}\n",
        "cross: {instruments: [ETH/USDT]}\n",
    ),
    of_file(
        "PAIR_DENIED",
        "universe",
        2,
        "ETH/USDT is denied",
        TIERS + "deny: [ETH/USDT]\n",
        TIERS + "deny: [SOL/USDT]\n",
    ),
    of_file(
        "NO_INSTRUMENTS",
        "strategies",
        1,
        "enabled on tier event, which has no instruments",
        "cross: {tier: event}\n",
        "cross: {tier: core}\n",
    ),
    mild(
        of_file(
            "PAIR_SPELLING",
            "universe",
            1,
            "BTC-USDT is read as BTC/USDT",
            "tiers: {core: {pairs: [BTC-USDT]}}\n",
            "tiers: {core: {pairs: [BTC/USDT]}}\n",
        )
    ),
    of_file(
        "TIERS_OVERLAP",
        "universe",
        3,
        "BTC/USDT of tier event is also named as BTC/USDT of tier core",
        TIERS + "  event: {pairs: [BTC/USDT]}\n",
        # A name and a wildcard may meet: the tier that names it has it.
        TIERS + "  event: {pairs: ['.*/USDT']}\n",
    ),
    of_file(
        "TIERS_OVERLAP",
        "universe",
        4,
        ".*DOWN/USDT of tier event can match the same instruments as A.*/USDT of tier rotational",
        TIERS + "  rotational: {pairs: ['A*/USDT']}\n  event: {pairs: ['*DOWN/USDT']}\n",
        TIERS + "  rotational: {pairs: ['A*/USDT']}\n  event: {pairs: ['B*DOWN/USDT']}\n",
    ),
    of_file(
        "TIER_KEEP",
        "universe",
        1,
        "keep 4 is below take 5",
        "tiers: {core: {pairs: [BTC/USDT], take: 5, keep: 4}}\n",
        "tiers: {core: {pairs: [BTC/USDT], take: 5, keep: 5}}\n",
    ),
    of_file(
        "TIER_KEEP",
        "universe",
        1,
        "keep has no effect without take",
        "tiers: {core: {pairs: [BTC/USDT], keep: 4}}\n",
        "tiers: {core: {pairs: [BTC/USDT], take: 3, keep: 4}}\n",
    ),
    mild(
        of_file(
            "TIER_CAP",
            "universe",
            1,
            "26% is above policy.limits.exposure_max 25%",
            "tiers: {core: {pairs: [BTC/USDT], weight: 26%}}\n",
            "tiers: {core: {pairs: [BTC/USDT], weight: 25%}}\n",
        )
    ),
    of_file(
        "REGIME_STATES",
        "universe",
        6,
        "the last state, bear, has a `when`",
        REGIME
        + f"    bull: {{when: close > open, tiers: [core], risk: 1%}}\n    bear: {{when: {LOW}}}\n",
        REGIME + f"    bear: {{when: {LOW}}}\n" + CALM,
    ),
    of_file(
        "REGIME_STATES",
        "universe",
        5,
        "calm has no `when` and is not the last",
        REGIME + CALM + f"    bear: {{when: {LOW}}}\n    rest: {{}}\n",
        REGIME + f"    bear: {{when: {LOW}}}\n" + CALM,
    ),
    of_file(
        "REGIME_STATES",
        "universe",
        3,
        "a regime without states",
        TIERS + "regime: {benchmark: BTC/USDT}\n",
        REGIME + CALM,
    ),
    of_file(
        "REGIME_SAME_RULE",
        "universe",
        6,
        "bear has the rule of crash",
        REGIME + f"    crash: {{when: {LOW}}}\n    bear: {{when: close<20000}}\n" + CALM,
        REGIME + f"    crash: {{when: {LOW}}}\n    bear: {{when: close<30000}}\n" + CALM,
    ),
    of_file(
        "REGIME_RISK",
        "universe",
        5,
        "opens core at risk 0",
        REGIME + f"    bear: {{when: {LOW}, tiers: [core]}}\n" + CALM,
        REGIME + f"    bear: {{when: {LOW}, tiers: [core], risk: 50%}}\n" + CALM,
    ),
    of_file(
        "REGIME_RISK",
        "universe",
        5,
        "risk 50% has no effect",
        REGIME + f"    bear: {{when: {LOW}, risk: 50%}}\n" + CALM,
        REGIME + f"    bear: {{when: {LOW}}}\n" + CALM,
    ),
    mild(
        of_file(
            "REGIME_TIER",
            "universe",
            5,
            "opens tier event, which has no pairs",
            REGIME + "    calm: {tiers: [core, event], risk: 100%}\n",
            REGIME + CALM,
        )
    ),
)

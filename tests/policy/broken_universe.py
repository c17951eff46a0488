"""Broken universe.yaml: tiers, pairs and wildcards, filters, the regime.

Lives here: the table. Must not live here: broken text (see `broken_text`), rules between keys.
"""

from __future__ import annotations

from .broken_kinds import Row, rows_of

T = "tiers:\n  core:\n    "
CORE = T + "pairs: "
PAIRS = "tiers.core.pairs"
OK = T + "pairs: [BTC/USDT, ETH/USDT]\n    "
FILTERS = OK + "filters:\n      "
PAIRED = "tiers: {core: {pairs: [BTC/USDT, ETH/USDT]}}\n"
REGIME = PAIRED + "regime:\n  "
STATES = REGIME + "states:\n    "
CALM = "    calm: {tiers: [core], risk: 100%}\n"

ROWS: list[Row] = rows_of(
    "universe",
    [
        # --- pairs
        ("tiers: {core: {pairs: BTC/USDT}}\n", [f"1 WRONG_KIND {PAIRS}"], "[BTC/USDT"),
        (CORE + "{BTC/USDT: 1}\n", [f"3 WRONG_KIND {PAIRS}"], "must be a list"),
        (CORE + "[[BTC/USDT]]\n", [f"3 WRONG_KIND {PAIRS}"], "not a list"),
        (CORE + "[{pair: BTC/USDT}]\n", [f"3 WRONG_KIND {PAIRS}"], "not a mapping"),
        (CORE + "[BTC/USDT,, ETH/USDT]\n", ["3 YAML_SYNTAX "], "not YAML"),
        (CORE + "[NO, BTC/USDT]\n", [f"3 NOT_A_PAIR {PAIRS}"], "'NO'"),
        (CORE + "[btc/usdt]\n", [f"3 NOT_A_PAIR {PAIRS}"], "mean BTC/USDT"),
        (CORE + "[BTCUSDT]\n", [f"3 NOT_A_PAIR {PAIRS}"], "write it as BTC/USDT"),
        (CORE + "[BTC_USDT]\n", [f"3 NOT_A_PAIR {PAIRS}"], "mean BTC/USDT"),
        (CORE + "['BTC / USDT']\n", [f"3 NOT_A_PAIR {PAIRS}"], "not an instrument"),
        (CORE + "[BTC/USDT/ETH]\n", [f"3 NOT_A_PAIR {PAIRS}"], "not an instrument"),
        (CORE + "['']\n", [f"3 NOT_A_PAIR {PAIRS}"], "not an instrument"),
        (CORE + "[BTC/\u0410DA]\n", [f"3 NOT_A_PAIR {PAIRS}"], "not an instrument"),
        (CORE + "['BTC/*']\n", [f"3 NOT_A_PAIR {PAIRS}"], "wildcard"),
        (CORE + "['*']\n", [f"3 NOT_A_PAIR {PAIRS}"], "wildcard"),
        (CORE + "['(.*)+/USDT']\n", [f"3 NOT_A_PAIR {PAIRS}"], "wildcard"),
        (CORE + "['[A-Z]*/USDT']\n", [f"3 NOT_A_PAIR {PAIRS}"], "wildcard"),
        (CORE + "['*A*A*A*/USDT']\n", [f"3 NOT_A_PAIR {PAIRS}"], "at most 3"),
        (CORE + "['.*/USDT:USDT']\n", [f"3 PAIR_DERIVATIVE {PAIRS}"], ".*/USDT"),
        (CORE + "[USDT/USDT]\n", [f"3 NOT_A_PAIR {PAIRS}"], "itself"),
        (
            CORE + "\n    - BTC/USDT\n    - ETH/USDT:USDT\n",
            [f"5 PAIR_DERIVATIVE {PAIRS}"],
            "did you mean ETH/USDT",
        ),
        (CORE + "[BTC/USDT:USDT-250627]\n", [f"3 PAIR_DERIVATIVE {PAIRS}"], "perpetual or future"),
        (CORE + "[BTC/EUR]\n", [f"3 PAIR_QUOTE {PAIRS}"], "write BTC/USDT"),
        (CORE + "[BTC/USDT, BTC-USDT]\n", [f"3 PAIR_TWICE {PAIRS}"], "BTC/USDT is named twice"),
        (
            CORE + "['A*/USDT', 'A.*/USDT']\n",
            [f"3 PAIR_TWICE {PAIRS}", "1 NO_INSTRUMENTS cross"],
            "named",
        ),
        (CORE + "[]\n", ["1 NO_INSTRUMENTS cross"], "has no instruments"),
        (CORE + "\n", [f"3 NO_VALUE {PAIRS}"], "no value"),
        ("deny: BTC/USDT\n", ["1 WRONG_KIND deny"], "must be a list"),
        (PAIRED + "deny: [all]\n", ["2 NOT_A_PAIR deny"], "not an instrument"),
        # --- tiers
        (PAIRED + "instruments: [BTC/USDT]\n", ["2 UNKNOWN_KEY instruments"], "unknown key"),
        ("tiers: [core]\n", ["1 WRONG_KIND tiers"], "not a list"),
        ("tiers:\n  main: {pairs: []}\n", ["2 UNKNOWN_KEY tiers.main"], "core, rotational, event"),
        ("tiers:\n  Core: {pairs: []}\n", ["2 UNKNOWN_KEY tiers.Core"], "did you mean core"),
        ("tiers:\n  core: [BTC/USDT]\n", ["2 WRONG_KIND tiers.core"], "not a list"),
        (OK + "take: -1\n", ["4 OUT_OF_RANGE tiers.core.take"], "outside"),
        (OK + "take: all\n", ["4 NOT_AN_INTEGER tiers.core.take"], "'all'"),
        (OK + "keep: 1e2\n", ["4 NOT_AN_INTEGER tiers.core.keep"], "mean 100"),
        (OK + "rank_by: volume\n", ["4 NOT_A_CHOICE tiers.core.rank_by"], "quote_volume"),
        (OK + "positions_max: many\n", ["4 NOT_AN_INTEGER tiers.core.positions_max"], "'many'"),
        (OK + "weight: 30\n", ["4 SHARE_SCALE tiers.core.weight"], "did you mean 30%"),
        (OK + "weight: -5%\n", ["4 OUT_OF_RANGE tiers.core.weight"], "outside"),
        (OK + "risk: 5%\n", ["4 RISK_AMBIGUOUS tiers.core.risk"], "write weight"),
        (FILTERS + "spread: 5bps\n", ["5 UNKNOWN_KEY tiers.core.filters.spread"], "spread_max"),
        (FILTERS + "spread_max: 5\n", ["5 SHARE_SCALE tiers.core.filters.spread_max"], "mean 5%"),
        (FILTERS + "spread_max: tight\n", ["5 NOT_A_SHARE tiers.core.filters.spread_max"], "share"),
        (FILTERS + "age_min: 90\n", ["5 NOT_A_DURATION tiers.core.filters.age_min"], "unit"),
        (FILTERS + "age_min: 3 months\n", ["5 NOT_A_DURATION tiers.core.filters.age_min"], "write"),
        (FILTERS + "age_min: 99999d\n", ["5 OUT_OF_RANGE tiers.core.filters.age_min"], "3650d"),
        (FILTERS + "price_min: -1\n", ["5 OUT_OF_RANGE tiers.core.filters.price_min"], "outside"),
        (
            FILTERS + "quote_volume_24h_min: 5M\n",
            ["5 NOT_A_NUMBER tiers.core.filters.quote_volume_24h_min"],
            "'5M'",
        ),
        (
            FILTERS + "quote_volume_24h_min: 5e6\n",
            ["5 NOT_A_NUMBER tiers.core.filters.quote_volume_24h_min"],
            "mean 5000000",
        ),
        (FILTERS + "depth_min: [1]\n", ["5 WRONG_KIND tiers.core.filters.depth_min"], "not a list"),
        (OK + "filters: none\n", ["4 WRONG_KIND tiers.core.filters"], "keys and values"),
        # --- time
        (PAIRED + "timeframe: 45m\n", ["2 NOT_A_CHOICE timeframe"], "not a timeframe"),
        (PAIRED + "timeframe: 2h\n", ["2 NOT_A_CHOICE timeframe"], "one of 1m"),
        (PAIRED + "refresh: hourly\n", ["2 NOT_A_DURATION refresh"], "write"),
        (PAIRED + "refresh: 0m\n", ["2 OUT_OF_RANGE refresh"], "outside 1m to 7d"),
        (PAIRED + "refresh: 30d\n", ["2 OUT_OF_RANGE refresh"], "outside 1m to 7d"),
        # --- the regime
        (PAIRED + "regime: bull\n", ["2 WRONG_KIND regime"], "keys and values"),
        (PAIRED + "regime:\n", ["2 NO_VALUE regime"], "no value"),
        (PAIRED + "regime: []\n", ["2 WRONG_KIND regime"], "not a list"),
        (REGIME + "benchmark: BTC\n", ["3 NOT_A_PAIR regime.benchmark"], "not an instrument"),
        (REGIME + "benchmark: '.*/USDT'\n", ["3 NOT_A_PAIR regime.benchmark"], "wildcard"),
        (REGIME + "timeframe: 4H\n", ["3 NOT_A_CHOICE regime.timeframe"], "mean 4h"),
        (REGIME + "confirm_bars: 0\n", ["3 OUT_OF_RANGE regime.confirm_bars"], "1 to 100"),
        (REGIME + "states: [bull, bear]\n", ["3 WRONG_KIND regime.states"], "not a list"),
        (STATES + "Bull: {tiers: [core]}\n", ["4 BAD_NAME regime.states.Bull"], "lower case"),
        (STATES + "calm: open\n", ["4 WRONG_KIND regime.states.calm"], "keys and values"),
        (
            STATES + "calm: {tiers: core, risk: 100%}\n",
            ["4 WRONG_KIND regime.states.calm.tiers"],
            "must be a list",
        ),
        (
            STATES + "calm: {tiers: [main], risk: 100%}\n",
            ["4 NOT_A_CHOICE regime.states.calm.tiers"],
            "core, rotational, event",
        ),
        (
            STATES + "calm: {tiers: [core], risk: 50}\n",
            ["4 SHARE_SCALE regime.states.calm.risk"],
            "did you mean 50%",
        ),
        (
            STATES + "calm: {tiers: [core], risk: 150%}\n",
            ["4 OUT_OF_RANGE regime.states.calm.risk"],
            "outside",
        ),
        (
            STATES + "bear: {when: 'close <', tiers: []}\n" + CALM,
            ["4 RULE_SYNTAX regime.states.bear.when"],
            "config/universe.yaml:4",
        ),
        (
            STATES + "bear: {when: 'close < sma(clos, 20)', tiers: []}\n" + CALM,
            ["4 RULE_NAME regime.states.bear.when"],
            "close",
        ),
        (
            STATES + "bear: {when: 'sma(close, 20)', tiers: []}\n" + CALM,
            ["4 RULE_RESULT regime.states.bear.when"],
            "condition",
        ),
        (
            STATES + "bear: {when: 'close[-1] < close', tiers: []}\n" + CALM,
            ["4 RULE_LOOKAHEAD regime.states.bear.when"],
            "",
        ),
    ],
)

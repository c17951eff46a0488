"""A scene for each gate and each exit rule: a back-test in which it says no, or acts.

Lives here: by code, the number of a random case (see `equal_cases`) and how often the reference
told the code there. Written by looking for the shortest such case. Must not live here: what is
done with them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from equal_bars import Market, walked_market
from equal_cases import Case, made_case, plain_case
from equal_told import Told, told_legs

from trader.app.backtest_inputs import BacktestInputs
from trader.core.limits import Limits
from trader.core.parameters import EntryStyle, SizeSpec, TierSpec, UniverseSpec

SEED, ROWS = 5, 130

# By gate: the case, and how many times it said no.
GATES: dict[str, tuple[int | str, int]] = {
    "ALREADY_HELD": (348, 17),
    "ASSET_EXPOSURE": (298, 18),
    "BLACKOUT": (208, 55),
    "BUDGET_EXPOSURE": (136, 19),
    "BUDGET_LOSS": (43, 2),
    "BUDGET_POSITIONS": (105, 19),
    "BUDGET_TRADES_DAY": (81, 6),
    "CAPITAL": (121, 4),
    "CASH": (298, 5),
    "COLLAR_WINDOW": (43, 4),
    "COOLDOWN": (126, 8),
    "CORRELATED_EXPOSURE": (12, 127),
    "DATA_JUMP": (348, 1),
    "DAY_STOP": (178, 1),
    "DEPTH_SHARE": ("DEPTH_SHARE", 132),
    "DRAWDOWN_STOP": ("DRAWDOWN_STOP", 109),
    "EXPOSURE_TOTAL": (141, 95),
    "HASH_UNAPPROVED": ("HASH_UNAPPROVED", 123),
    "INSTRUMENT_INACTIVE": ("INSTRUMENT_INACTIVE", 141),
    "LOSS_TOTAL": (336, 1),
    "MESSAGES": (14, 1),
    "NOTIONAL_MIN": ("NOTIONAL_MIN", 124),
    "ORDER_QTY": (91, 1),
    "ORDER_VALUE": (304, 94),
    "ORDER_VALUE_HOME": (1, 11),
    "ORDER_WORKING": (91, 3),
    "OWNED_BY_OTHER": (321, 2),
    "PENDING_EXPOSURE": (298, 3),
    "POSITIONS_MAX": (276, 8),
    "POSITION_CAP": (13, 1),
    "PRICE_COLLAR": (82, 4),
    "QTY_MIN": (389, 39),
    "QUOTE_MISSING": (60, 2),
    "RESTRICTED": (89, 8),
    "ROLLING_LOSS": (230, 9),
    "SELF_CROSS": (366, 4),
    "SESSION_CLOSED": (189, 17),
    "SPREAD": (346, 13),
    "STRATEGY_DRAWDOWN": (329, 44),
    "STRATEGY_OFF": (126, 15),
    "STRATEGY_SHADOW": (178, 66),
    "TIER_POSITIONS": ("TIER_POSITIONS", 123),
    "TIER_WEIGHT": ("TIER_WEIGHT", 48),
    "TOUCH_MOVED": (324, 32),
    "TRADES_DAY": (119, 33),
    "TRADES_HOUR": (142, 20),
    "UNATTENDED": (413, 180),
    "VALUE_AT_RISK": (345, 18),
    "VOLUME_SHARE": (182, 1),
}
# By exit: cases, and how many sales they had for that reason.
EXITS: dict[str, tuple[tuple[int | str, ...], int]] = {
    "break_even": ((313, 121), 5),
    "exit_signal": ((61, "left"), 45),
    "max_hold": ((142, "held"), 65),
    "scale_out": ((313, 303), 20),
    "stop_loss": ((146, "stopped"), 52),
    "take_profit": ((13, "aimed"), 16),
    "trailing_stop": ((204, "trailed"), 50),
}
# Gates that no back-test meets, and why.
UNREACHED: dict[str, str] = {
    "BOOKS_MISMATCH": "its venue has no books of its own",
    "CLOCK_SKEW": "it has one clock",
    "DATA_REPAINTED": "its bars do not change",
    "DUPLICATE_INTENT": "an instrument has one owner, who asks once a bar",
    "HALT_LEVEL": "nobody halts a back-test",
    "OUTCOME_UNKNOWN": "its venue always answers",
    "QTY_MAX": "sizes are held to it before; the gate is a second look",
    "QUOTE_CROSSED": "its quotes are made of one price",
    "QUOTE_OLD": "its quotes are as old as the decision",
    "SHORT": "exits are sized by what is held; the gate is a second look",
    "SLIPPAGE_CAP": "orders are priced within it; the gate is a second look",
    "VENUE_DEGRADED": "its venue does not fail",
}


def _two_coins(rng: random.Random) -> Market:
    one, two = walked_market(rng, ROWS), walked_market(rng, ROWS)
    symbol = "BBB/USDT"
    second = replace(two.instruments[0], symbol=symbol, base="BBB")
    (series,) = two.series.values()
    both = {**one.series, (symbol, "1m"): replace(series, symbol=symbol)}
    return replace(one, instruments=(*one.instruments, second), series=both)


def _limited(change: Callable[[Limits], Limits]) -> Callable[[BacktestInputs], BacktestInputs]:
    def changed(inputs: BacktestInputs) -> BacktestInputs:
        limits = change(inputs.parameters.limits)
        return replace(inputs, parameters=replace(inputs.parameters, limits=limits))

    return changed


def _tiered(tier: TierSpec) -> Callable[[BacktestInputs], BacktestInputs]:
    def changed(inputs: BacktestInputs) -> BacktestInputs:
        universe = UniverseSpec("1m", 60_000, 60_000, (tier,))
        return replace(inputs, parameters=replace(inputs.parameters, universe=universe))

    return changed


def _inactive(inputs: BacktestInputs) -> BacktestInputs:
    off = tuple(replace(one, active=False) for one in inputs.instruments)
    return replace(inputs, instruments=off)


def _small(inputs: BacktestInputs) -> BacktestInputs:
    spec = replace(inputs.parameters.strategies[0], size=SizeSpec("fixed", notional="50"))
    spec = replace(spec, style=EntryStyle("maker"))
    limits = replace(inputs.parameters.limits, order_notional_min="48")
    parameters = replace(inputs.parameters, strategies=(spec,), limits=limits)
    return replace(inputs, parameters=parameters)


# What no random case meets: one plain strategy, and one thing that is different.
PLAIN = {"enter": "close > open", "exit": "close < open", "stop": "0.3 * close"}
# Entries far apart, one way out: nothing else happens on the bar on which it is taken.
RARE = {"enter": "crosses_above(sma(close, 4), sma(close, 12))", "stop": "0.3 * close"}
WAYS_OUT: dict[str, tuple[dict[str, str], int]] = {
    "stopped": ({**RARE, "stop": "0.002 * close"}, 0),
    "trailed": ({**RARE, "trail": "0.003 * close"}, 0),
    "aimed": ({**RARE, "target": "0.002 * close"}, 0),
    "held": (RARE, 3),
    "left": ({**RARE, "exit": "crosses_below(sma(close, 4), sma(close, 12))"}, 0),
}
SPECIAL: dict[str, Callable[[BacktestInputs], BacktestInputs]] = {
    "HASH_UNAPPROVED": _limited(lambda limits: replace(limits, approval="always")),
    "DRAWDOWN_STOP": _limited(lambda limits: replace(limits, drawdown_ppm_max=2_000)),
    "DEPTH_SHARE": _limited(lambda limits: replace(limits, depth_ppm_max=100_000)),
    "TIER_POSITIONS": _tiered(TierSpec("core", ("AAA/USDT", "BBB/USDT"), positions_max=0)),
    "TIER_WEIGHT": _tiered(TierSpec("core", ("AAA/USDT", "BBB/USDT"), weight_ppm=100_000)),
    "INSTRUMENT_INACTIVE": _inactive,
    "NOTIONAL_MIN": _small,
}


@cache
def scene(name: int | str) -> Case:
    """The random case of this number, or the plain one with what this word changes."""
    if isinstance(name, int):
        return made_case(SEED, name, ROWS)
    texts, hold_bars = WAYS_OUT.get(name, (PLAIN, 0))
    case = plain_case(_two_coins(random.Random(name)), texts, hold_bars=hold_bars)
    if name in WAYS_OUT:
        return replace(case, name=name)
    return replace(case, name=name, inputs=SPECIAL[name](case.inputs))


def refused(told: Told) -> Counter[str]:
    """How often each code was an answer."""
    found: Counter[str] = Counter()
    for row in told.rows.get("counts", ()):
        code, count = row.rsplit(" ", 1)
        found[code] += int(count)
    return found


def reasons(inputs: BacktestInputs, engine: str) -> Counter[str]:
    """How many sales each reason led to."""
    return Counter(reason for side, reason in told_legs(inputs, engine) if side == "sell")

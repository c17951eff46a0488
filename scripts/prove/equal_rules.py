"""Random strategies for two engines: rules and files, edges and levels, all ways out.

Lives here: texts of rules, their programs, and functions that stand for a strategy's file. Must not
live here: limits, and what is compared.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from rule_making import RuleMaker

from trader.core.parameters import StrategyCode
from trader.domain.timeframe import timeframe_name
from trader.policy.rules_compile import compile_rules

NUMBERS: Mapping[str, float | int] = {"fast": 3, "slow": 8}
MEANS = ("sma", "sma", "sma", "ema", "wma")


def no_warmup(_: Mapping[str, float | int]) -> int:
    """Of rules alone."""
    return 0


def no_signals(_: Any, __: Any) -> dict[str, Any]:
    """Of rules alone."""
    return {}


def ruled(rng: random.Random, own_ms: int, steps: int, *, plain: bool) -> StrategyCode:
    """Code of rules; `steps`: of its scale-out."""
    own = timeframe_name(own_ms)
    for _ in range(50):
        texts = rule_texts(rng, own, steps, plain=plain)
        result = compile_rules(texts, parameters=NUMBERS, triggers={}, own_timeframe=own)
        if not result.problems:
            return StrategyCode(no_warmup, no_signals, result.program)
    raise AssertionError("no rule of fifty is taken by the parser")


def code_of(texts: Mapping[str, str], own: str) -> StrategyCode:
    """Code of these rules."""
    result = compile_rules(texts, parameters=NUMBERS, triggers={}, own_timeframe=own)
    assert not result.problems, result.problems
    return StrategyCode(no_warmup, no_signals, result.program)


def rule_texts(rng: random.Random, own: str, steps: int, *, plain: bool) -> dict[str, str]:
    """Rules by output. A plain one has what most users write."""
    texts = {"enter": enter_text(rng, own, plain=plain)}
    leave = exit_text(rng, own, plain=plain)
    if leave:
        texts["exit"] = leave
    texts["stop"] = distance(rng, (0.002, 0.01, 0.05, 0.2, 0.5))
    optional = 0.12 if plain else 0.4
    reach = (0.001, 0.004, 0.01, 0.04, 0.3)
    for name in ("target", "trail", "trail_from", "break_even"):
        if rng.random() < optional:
            texts[name] = distance(rng, reach)
    if "trail_from" in texts and "trail" not in texts:
        del texts["trail_from"]
    if rng.random() < optional:
        strengths = ("rsi(5) / 100", "0.5 + 0 * close", "min(1, volume / 1000)", "close / open")
        texts["strength"] = rng.choice(strengths)
    for number in range(steps):
        texts[f"scale_out_{number + 1}"] = distance(rng, (0.001, 0.004, 0.01, 0.02))
    return texts


def enter_text(rng: random.Random, own: str, *, plain: bool) -> str:
    """When to buy: crossings, levels, and now and then anything."""
    mean, fast = rng.choice(MEANS), rng.choice((2, 3, 5))
    slow = fast + rng.choice((1, 3, 8, 20))
    shapes = [
        f"crosses_above({mean}(close, {fast}), {mean}(close, {slow}))",
        f"crosses_above({mean}(close, fast), {mean}(close, slow))",
        f"{mean}(close, {fast}) > {mean}(close, {slow})",
        f"rsi({rng.choice((3, 7, 14))}) < {rng.choice((20, 35, 60))}",
        "close > open",
        f"close > highest(high, {slow})[1]",
        f"crosses_below(close, sma(close, {slow})) and volume > 0",
        "close > 0",
    ]
    if not plain:
        maker = maker_of(rng, own)
        shapes += [maker.condition(2), maker.condition(1), maker.condition(3)]
    return rng.choice(shapes)


def exit_text(rng: random.Random, own: str, *, plain: bool) -> str:
    """When to leave; "" for never."""
    mean, fast = rng.choice(MEANS), rng.choice((2, 3, 5))
    slow = fast + rng.choice((1, 3, 8))
    shapes = [
        "",
        f"crosses_below({mean}(close, {fast}), {mean}(close, {slow}))",
        f"crosses_below({mean}(close, fast), {mean}(close, slow))",
        f"{mean}(close, {fast}) < {mean}(close, {slow})",
        f"rsi({rng.choice((3, 7))}) > {rng.choice((50, 80))}",
        "close < open",
    ]
    if not plain:
        shapes += ["close > 0", maker_of(rng, own).condition(2)]
    return rng.choice(shapes)


def distance(rng: random.Random, shares: tuple[float, ...]) -> str:
    """A distance from the price."""
    share = rng.choice(shares) * rng.choice((1.0, 1.0, 0.7))
    if rng.random() < 0.75:
        return f"{share:.6f} * close"
    return f"{rng.choice(('0.5', '2', '6'))} * atr({rng.choice((2, 5))})"


def maker_of(rng: random.Random, own: str) -> RuleMaker:
    """Rules of every kind, over few rows."""
    higher = {"1m": ("5m", "15m"), "5m": ("15m", "1h"), "15m": ("1h",), "1h": ("4h",)}.get(own, ())
    return RuleMaker(
        rng,
        timeframe=own,
        period_max=7,
        higher=higher if rng.random() < 0.5 else (),
        session_rows_max=16,
        parameters=tuple(NUMBERS),
    )


def filed(rng: random.Random, own_ms: int) -> StrategyCode:
    """A function in place of a file: enters and leaves at bars that only their times tell, or that
    the close before tells; some fail or say nonsense now and then."""
    salt, every = rng.randrange(1 << 30), rng.choice((2, 5, 17))
    odd = rng.choice(("", "", "", "fails", "nonsense", "rising"))
    warmup = rng.choice((1, 4))

    def drawn(at_ms: int, more: int) -> int:
        return (at_ms // own_ms * 2_654_435_761 + salt * more) >> 7

    def signals(bars: Any, _: Any) -> dict[str, list[Any]]:
        opens, closes = bars.open_ms, bars.close
        if odd == "fails" and any(drawn(at, 5) % 997 == 0 for at in opens):
            raise ValueError("made to fail")
        enter = [int(drawn(at, 1) % every == 0) for at in opens]
        if odd == "rising":
            enter = [int(i > 0 and closes[i] > closes[i - 1]) for i in range(len(bars))]
        stop = [0.03 * close for close in closes]
        if odd == "nonsense":
            stop = [-1.0 if drawn(at, 3) % 3 == 0 else 0.02 * at for at in opens]
        leave = [int(drawn(at, 2) % (3 * every) == 0) for at in opens]
        return {"enter": enter, "exit": leave, "stop": stop}

    return StrategyCode(lambda _: warmup, signals)


def program_steps(code: StrategyCode, step_of: Callable[[str], int]) -> set[int]:
    """Longer bars that a program looks at."""
    nodes: list[Any] = code.program.get("nodes", [])
    return {step_of(node[1]) for node in nodes if node[1]}

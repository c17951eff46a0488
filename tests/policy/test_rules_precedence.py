"""Operators bind as on paper: a program gives what Python itself gives for the same text."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from trader.policy.rules_compile import compile_rules

BAR = {"open": Fraction(7, 2), "high": Fraction(9), "low": Fraction(2), "close": Fraction(5)}
OPERATORS: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "min": min,
    "max": max,
    "neg": lambda a: -a,
    "not": lambda a: not a,
    "abs": abs,
}


def value_of(program: Mapping[str, Any], output: str) -> Any:
    """The program on one bar, exactly."""
    values: list[Any] = []
    for op, _, arguments, numbers, text in program["nodes"]:
        if op == "column":
            values.append(BAR[text])
        elif op == "number":
            values.append(Fraction(numbers[0]))
        else:
            values.append(OPERATORS[op](*[values[i] for i in arguments]))
    return values[program["outputs"][output]]


def terms(chance: Random, count: int) -> str:
    """A sum of products without brackets, or nearly so; never a division by 0."""
    words = [term(chance)]
    for _ in range(count):
        words += [chance.choice("+-*/"), term(chance)]
    return " ".join(words)


def term(chance: Random) -> str:
    draw = chance.random()
    if draw < 0.3:
        return chance.choice(["1", "2", "0.5", "3.25", "10"])
    if draw < 0.4:
        return f"-{chance.choice(list(BAR))}"
    if draw < 0.5:
        return f"{chance.choice(['min', 'max'])}(2, {chance.choice(list(BAR))}, high * 3)"
    if draw < 0.6:
        return f"(abs({terms(chance, 1)}) + 1)"
    return chance.choice(list(BAR))


def condition(chance: Random, count: int) -> str:
    words: list[str] = []
    for place in range(count):
        words += [chance.choice(["and", "or"])] if place else []
        words += ["not"] * chance.choice([0, 0, 0, 1, 2])
        sides = [f"close * 0 + {terms(chance, chance.randint(0, 4))}"]
        for _ in range(chance.choice([1, 1, 2])):
            sign = chance.choice(["<", "<=", ">", ">=", "==", "!="])
            sides += [sign, f"close * 0 + {terms(chance, chance.randint(0, 4))}"]
        words += sides if chance.random() < 0.8 else ["(", *sides, ")"]
    return " ".join(words)


@pytest.mark.parametrize("seed", range(20))
def test_a_program_gives_what_python_gives_for_the_same_text(seed: int) -> None:
    chance = Random(seed)
    for _ in range(10):
        text = condition(chance, chance.randint(1, 4))
        result = compile_rules({"enter": text}, parameters={}, triggers={}, own_timeframe="1h")
        assert not result.problems, str(result.problems[0])
        exact = {"min": min, "max": max, "abs": abs, **BAR}
        wanted = eval(fractions_of(text), {"__builtins__": {}, "F": Fraction}, exact)
        assert value_of(result.program, "enter") == wanted, text


def fractions_of(text: str) -> str:
    """The text with every number as an exact fraction."""
    words = text.replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split()
    return " ".join(f"F('{word}')" if word[0].isdigit() else word for word in words)

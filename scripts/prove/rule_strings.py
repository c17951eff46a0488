"""Random strings as rules: each parses, or is refused with a sentence, a line and a column.

Lives here: strings of six sorts (words of the language, broken rules, sentences without sense,
nests, Unicode, bytes) and what is asked of the answer. `rules_fuzz.py` runs it. Must not live here:
rules that are well typed (see rule_making.py), evaluation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from rule_making import RuleMaker

from trader.core.canonical import canonical
from trader.core.indicator_table import INDICATORS
from trader.policy.problems import Code
from trader.policy.rules_compile import compile_rules
from trader.policy.rules_problems import EXCERPT_WIDTH_MAX, RuleProblem
from trader.policy.rules_program import NODES_MAX, Program
from trader.policy.rules_triggers import Trigger
from trader.policy.rules_vocabulary import COLUMNS, FOREIGN, FUNCTIONS

FAILURES_MAX = 10
PARAMETERS: dict[str, int | str] = {"fast": 5, "slow": 20, "share": "0.05", "nothing": 0}
TRIGGERS = {
    "breakout": Trigger("close > highest(high, length)[1]", {"length": 20}),
    "momentum": Trigger("roc(close, n) > 0 and breakout(length=55)", {"n": 10}),
    "round_and": Trigger("round_trip"),
    "round_trip": Trigger("close > open and round_and"),
    "broken": Trigger("close >"),
}
WORDS = (
    *COLUMNS, *FUNCTIONS, *INDICATORS, *FOREIGN, *PARAMETERS, *TRIGGERS,
    "and", "or", "not", "if", "else", "lambda", "for", "in", "is", "None", "True", "await",
    "+", "-", "*", "/", "**", "//", "%", "@", "<", "<=", ">", ">=", "==", "!=", "=", ":=", "&", "|",
    "~", "^", "<<", ">>", "(", ")", "(", ")", "[", "]", "{", "}", ",", ",", ".", ":", ";", "?", "!",
    "0", "1", "2", "14", "1.5", "-1", "1e9", "0x10", "1j", "007", "1_000", ".5", "5.", "9" * 40,
    "'1h'", '"4h"', '"1d"', "'", '"', 'f"{x}"', "b'a'", "\\", "#", "\n", "\t", " ", "__class__",
    "session", "n", "length", "line", "signal", "upper", "\u0441lose", "\u2212", "\u00a0", "\x00",
)  # fmt: skip

ATOMS = (
    *COLUMNS,
    *PARAMETERS,
    *TRIGGERS,
    "0",
    "1",
    "2",
    "14",
    "1.5",
    "100",
    '"1h"',
    "close > open",
)


@dataclass
class Strings:
    """What came of random strings.

    Attributes:
        parsed, refused: how many. codes: how often each code was the first problem.
        failures: strings that broke the claim, and how; at most ten.
    """

    parsed: int = 0
    refused: int = 0
    codes: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])


def fuzz_strings(seed: int, count: int) -> Strings:
    """Compiles `count` random strings; what is claimed of each answer is looked at."""
    chance = Random(f"strings {seed}")
    maker = RuleMaker(chance, timeframe="15m", parameters=("fast", "slow"))
    found = Strings()
    for _ in range(count):
        text = random_string(chance, maker)
        try:
            said = judge(text, chance.choice(["enter", "stop"]), found)
        except Exception as error:  # noqa: BLE001  the claim is that nothing is raised
            said = f"raised {type(error).__name__}: {error}"
        if said and len(found.failures) < FAILURES_MAX:
            found.failures.append(f"{text[:200]!r}: {said}")
    return found


def random_string(chance: Random, maker: RuleMaker) -> str:
    """One string of one of six sorts."""
    sort = chance.randrange(10)
    if sort < 2:
        return " ".join(chance.choices(WORDS, k=chance.randint(1, 14)))
    if sort < 4:
        return broken_rule(chance, maker.condition(chance.randint(1, 3)))
    if sort < 7:
        return sentence(chance, chance.randint(1, 4))
    if sort < 8:
        return nest(chance)
    if sort < 9:
        signs = [chr(chance.choice([chance.randrange(128), chance.randrange(0x3000)]))
                 for _ in range(chance.randint(0, 40))]  # fmt: skip
        return "".join(signs)
    return chance.randbytes(chance.randint(0, 60)).decode("latin-1")


def sentence(chance: Random, depth: int) -> str:
    """A text whose grammar is right, whatever its names and types."""
    if depth < 1:
        return chance.choice(ATOMS)
    below = [sentence(chance, depth - chance.randint(1, 2)) for _ in range(3)]
    sign = chance.choice(["+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "and", "or"])
    name = chance.choice([*FUNCTIONS, *INDICATORS, *TRIGGERS])
    several = ", ".join(below[: chance.randint(0, 3)])
    return chance.choice([
        f"({below[0]}) {sign} ({below[1]})",
        f"{below[0]} {sign} {below[1]} {sign} {below[2]}",
        f"{chance.choice(['not ', '-', '+'])}({below[0]})",
        f"({below[0]})[{below[1]}]",
        f"{name}({several})",
        f"{name}({below[0]}, {chance.choice(['n', 'length', 'k', 'fast'])}={below[1]})",
        f'{name}({below[0]}, session="{chance.choice(["1d", "1w", "15m", "2h"])}")',
        f"{name}({several}).{chance.choice(['line', 'signal', 'upper', 'k', 'up', 'x'])}",
        f'on("{chance.choice(["1h", "4h", "5m", "15m", "2h"])}", {below[0]})',
    ])  # fmt: skip


def broken_rule(chance: Random, rule: str) -> str:
    """A good rule with a few places changed."""
    text = rule
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        draw = chance.randrange(4)
        if draw == 0:
            text = text[:at] + text[at + chance.randint(1, 4) :]
        elif draw == 1:
            text = text[:at] + chance.choice(WORDS) + text[at:]
        elif draw == 2:
            text = text[:at] + text[max(0, at - 5) : at] + text[at:]
        else:
            text = text[:at] + chr(chance.randrange(32, 127)) + text[at + 1 :]
    return text


def nest(chance: Random) -> str:
    """A few up to ten thousand of something inside each other."""
    depth = chance.choice([5, 20, 31, 33, 64, 100, 500, 10_000])
    opening, middle, closing = chance.choice([
        ("(", "close > open", ")"),
        ("not ", "close > open", ""),
        ("not (", "close > open", ")"),
        ("-", "close", " > 1"),
        ("abs(", "close", ")"),
        ("", "close", "[1]"),
        ("", "close", ".x"),
        ("", "close", " + 1"),
        ("", "close > open", " and close > open"),
        ("", "close", " < close"),
        ("[", "1", "]"),
        ("sma(", "close", ", 2)"),
        ('on("1h", ', "close", ")"),
        ("{", "", "}"),
        ("f(", "", ")"),
    ])  # fmt: skip
    text = opening * depth + middle + closing * (1 if closing == " > 1" else depth)
    return text if chance.random() < 0.7 else text[: len(text) - chance.randint(1, 3)]


def judge(text: str, output: str, found: Strings) -> str:
    """Compiles one text; says what of the claim does not hold, or ""."""
    result = compile_rules(
        {output: text}, parameters=PARAMETERS, triggers=TRIGGERS, own_timeframe="15m"
    )
    for problem in (*result.problems, *result.warnings):
        said = problem_with(problem, text)
        if said:
            return said
    if result.problems:
        found.refused += 1
        found.codes[result.problems[0].code.name] += 1
        return "a program beside problems" if result.program else ""
    found.parsed += 1
    return problem_with_program(result.program, output)


def problem_with(problem: RuleProblem, text: str) -> str:
    """What a problem lacks, or ""."""
    lines = text.split("\n")
    if not (isinstance(problem.code, Code) and problem.code.name.startswith("RULE_")):
        return f"code {problem.code}"
    if not problem.message:
        return "no message"
    if not 1 <= problem.line <= len(lines):
        return f"line {problem.line} of {len(lines)}"
    if not 1 <= problem.column <= len(lines[problem.line - 1]) + 1:
        return f"column {problem.column} of {len(lines[problem.line - 1])}"
    drawn = problem.excerpt.split("\n")
    if problem.excerpt and (len(drawn) != 2 or not set(drawn[1]) <= {" ", "^"}):
        return f"excerpt {problem.excerpt!r}"
    if max(len(line) for line in drawn) > EXCERPT_WIDTH_MAX or not problem.excerpt.isascii():
        return "an excerpt that is too wide"
    return ""


def problem_with_program(program: Program, output: str) -> str:
    """What is wrong with a program, or ""."""
    nodes = program["nodes"]
    if not 0 < len(nodes) <= NODES_MAX:
        return f"{len(nodes)} nodes"
    if list(program["outputs"]) != [output]:
        return f"outputs {program['outputs']}"
    for index, node in enumerate(nodes):
        if any(not 0 <= argument < index for argument in node[2]):
            return f"node {index} stands before its arguments"
    if len({canonical(node) for node in nodes}) < len(nodes):
        return "a node stands twice"
    needed = {argument for node in nodes for argument in node[2]} | set(program["outputs"].values())
    return "" if len(needed) == len(nodes) else "a node that nothing needs"

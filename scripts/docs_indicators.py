"""The page of the indicators, docs/indicators.md, from the indicator table.

Lives here: its text. Must not live here: facts of an indicator, which its entry holds.
"""

from __future__ import annotations

from trader.core.indicator import Indicator
from trader.core.indicator_table import GROUPS, INDICATORS

# What an indicator without a default is shown with.
PERIOD = 20

INTRO = """\
{count} indicators, the same in rules (`enter: rsi(14) < 30`) and in Python files (`from
trader.core.indicators import rsi`). They are proven by `scripts/prove/indicators.py`: by hand, by
definition in exact fractions, against TA-Lib 0.8 where it has the function, and by what they
declare here.

- **Rows** are closed bars, `x[1]` is the row before. A value reads its own row and rows before
  it, never one to come. Given all rows at once or one by one, compiled or interpreted, the bits
  are the same.
- **First row**: index of the first number, counted from 0 (TA-Lib's where it has the function).
  Before it, and where a result would overflow, there is no number. A row whose input is NaN or
  infinite has none either, and the count begins anew after it.
- **Warm-up**: how many rows before a row settle its value, wherever the series starts. `finite`:
  exactly, to the bit (running sums carry their rounding errors along, so they do not drift; where
  values of one window are more than 2^25 times each other, the last bit of `sma` may differ).
  `fading`: the averages it is made of keep no more than e^-10 (0.005 %) of another start; ratios
  of such averages (rsi, adx, plus_di, minus_di) fade only while prices move. `session`: all rows
  since the session began.
- **Session**: what would remember for ever (obv, psar, supertrend, session_vwap) is begun anew at
  each session of the UTC grid (weeks on Monday), and must be told which: `obv(session="1d")`.
  There is no number until a session's first row was seen; a row without a number ends it until
  the next session.
- **Measures**: what it may be compared with; `source` is whatever its source measures.
- **Flat**: its value when nothing moves. Where TA-Lib then names an end of the scale, which reads
  as a signal, the middle is named here.
"""


def indicators_page(note: str) -> str:
    """The page."""
    lines = [note, "# Indicators", "", INTRO.format(count=len(INDICATORS))]
    for title, entries in GROUPS:
        lines += [f"## {title}", ""]
        for entry in entries:
            lines += entry_lines(entry)
    return "\n".join(lines)


def entry_lines(entry: Indicator) -> list[str]:
    """One indicator."""
    lines = [f"### {entry.name}", "", f"`{usage(entry)}`", "", f"`{entry.formula}`", ""]
    facts = [("source", entry.source), ("reads", ", ".join(read(entry)))]
    if entry.numbers:
        facts.append(("numbers", "; ".join(bounds(entry))))
    facts += [
        ("measures", measures(entry)),
        ("memory", entry.memory),
        (f"first row, warm-up at ({told_numbers(entry)})", settled(entry)),
        ("flat", entry.flat),
        ("TA-Lib", entry.talib or "has no such function"),
    ]
    lines += ["| | |", "|---|---|"]
    return [
        *lines,
        *(f"| {name} | {value.replace('|', chr(92) + '|')} |" for name, value in facts),
        "",
    ]


def usage(entry: Indicator) -> str:
    """How a rule calls it."""
    sources = entry.inputs.count("source")
    first = ["close", "volume"][:sources]
    numbers = [f"{number:g}" for number in usual(entry)]
    session = ['session="1d"'] if entry.session else []
    call = f"{entry.name}({', '.join([*first, *numbers, *session])})"
    return ", ".join(f"{call}.{output}" for output in entry.outputs) or call


def usual(entry: Indicator) -> tuple[float, ...]:
    """Its defaults."""
    return tuple(PERIOD if one.default is None else one.default for one in entry.numbers)


def told_numbers(entry: Indicator) -> str:
    """Its defaults in words."""
    return ", ".join(f"{number:g}" for number in usual(entry))


def read(entry: Indicator) -> list[str]:
    """What it reads."""
    return ["any series" if name == "source" else name for name in entry.inputs]


def bounds(entry: Indicator) -> list[str]:
    """Each number with its bounds and default."""
    told: list[str] = []
    for one in entry.numbers:
        what = "whole, " if one.whole else ""
        default = "must be given" if one.default is None else f"default {one.default:g}"
        told.append(f"`{one.name}` {what}{one.least:g} to {one.most:g}, {default}")
    return told


def measures(entry: Indicator) -> str:
    """Kinds, by output where they differ."""
    if len(set(entry.kinds)) == 1:
        return entry.kinds[0]
    pairs = zip(entry.outputs, entry.kinds, strict=True)
    return ", ".join(f"{output}: {kind}" for output, kind in pairs)


def settled(entry: Indicator) -> str:
    """First row and warm-up at the defaults."""
    numbers = usual(entry)
    firsts = entry.firsts(numbers)
    first = str(firsts[0])
    if len(set(firsts)) > 1:
        first = ", ".join(f"{name} {row}" for name, row in zip(entry.outputs, firsts, strict=True))
    if entry.session:
        return f"{first} (of the session); the session's rows"
    return f"{first}; {entry.warmup(numbers)}"

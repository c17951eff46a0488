"""Broken `sweep` sections of strategies.yaml: ranges and conditions that are none.

Lives here: the part of the table that is about sweeps. Must not live here: rules between keys.
"""

from __future__ import annotations

DIP = "dip:\n  enter: rsi(n) < level\n  stop: 5%\n  parameters: {n: 14, level: 30}\n"


def _range(value: str, code: str, part: str) -> tuple[str, list[str], str]:
    """A range of `n`, and the code that it gives."""
    return f"{DIP}  sweep: {{ranges: {{n: {value}}}}}\n", [f"5 {code} dip.sweep.ranges.n"], part


def _where(value: str, code: str, part: str) -> tuple[str, list[str], str]:
    """A condition, and the code that it gives."""
    text = f"{DIP}  sweep: {{ranges: {{n: 5:20:5}}, where: [{value}]}}\n"
    return text, [f"5 {code} dip.sweep.where"], part


SWEEPS: list[tuple[str | bytes, list[str], str]] = [
    (DIP + "  sweep: 5:50:5\n", ["5 WRONG_KIND dip.sweep"], "keys and values"),
    (DIP + "  sweep: {n: 5:50:5}\n", ["5 UNKNOWN_KEY dip.sweep.n"], "known here: ranges, where"),
    (DIP + "  sweep: {ranges: [n]}\n", ["5 WRONG_KIND dip.sweep.ranges"], "keys and values"),
    (DIP + "  sweep: {ranges: {N: 5:9}}\n", ["5 BAD_NAME dip.sweep.ranges.N"], "not a name"),
    _range("", "NO_VALUE", "no value"),
    _range("[]", "NO_VALUE", "5:50:5"),
    _range("many", "NOT_A_NUMBER", "'many'"),
    _range("5..50", "NOT_A_NUMBER", "5..50"),
    _range("'5:'", "NOT_A_NUMBER", "''"),
    _range("5:50:5:5", "SWEEP_RANGE", "4 parts"),
    _range("50:5:5", "SWEEP_RANGE", "did you mean 5:50:5"),
    _range("5:50:0", "SWEEP_RANGE", "a step of 0"),
    _range("5:50:-5", "SWEEP_RANGE", "a step of -5"),
    _range("0.1:0.9", "SWEEP_RANGE", "no step"),
    _range("5:50:1e1", "NOT_A_NUMBER", "did you mean 10"),
    _range("1:1000000", "TOO_LARGE", "at most 10000"),
    _range("9999999999999", "OUT_OF_RANGE", "10^12"),
    _range("[5, 10, 5.0]", "SWEEP_RANGE", "5 is named twice"),
    _range("[5:50:5]", "SWEEP_RANGE", "without brackets"),
    _range("[[5], 6]", "WRONG_KIND", "list of numbers"),
    _range("{from: 5}", "WRONG_KIND", "not a mapping"),
    _range("0:20:5", "SWEEP_VALUE", "rsi: a period must be at least"),
    _range("[14, 14.5]", "SWEEP_VALUE", "whole number"),
    (DIP + "  sweep: {ranges: {m: 5:9}}\n", ["5 PARAMETER_UNKNOWN dip.sweep.ranges.m"], "no param"),
    (
        DIP + "  sweep: {ranges: {levle: 5:9}}\n",
        ["5 PARAMETER_UNKNOWN dip.sweep.ranges.levle"],
        "did you mean level",
    ),
    _where("n", "SWEEP_WHERE", "not a condition"),
    _where("n == level", "SWEEP_WHERE", "not a condition"),
    _where("1 < n < level", "SWEEP_WHERE", "not a condition"),
    _where("n ** 2 < level", "SWEEP_WHERE", "neither a parameter nor a number"),
    _where("1 < 2", "SWEEP_WHERE", "names no parameter"),
    _where("m < level", "SWEEP_WHERE", "no parameter m"),
    _where("n > level", "SWEEP_WHERE", "holds for no values"),
]

"""Broken strategies.yaml: keys, kinds, rules, distances and budgets of a strategy.

Lives here: the table. Must not live here: broken text (see `broken_text`), rules between keys.
"""

from __future__ import annotations

from .broken_kinds import Row, rows_of
from .broken_sweeps import SWEEPS

C = "cross:\n  "
DIP = "dip:\n  enter: close < open\n  stop: 5%\n  "


def _key(text: str, code: str, part: str = "") -> tuple[str, list[str], str]:
    """A strategy with this line, and the code it gives there."""
    return f"{C}{text}\n", [f"2 {code} cross.{text.split(':', maxsplit=1)[0]}"], part


def _rule(text: str, code: str, part: str = "") -> tuple[str, list[str], str]:
    """A strategy of rules with one more line, and the code it gives there."""
    return f"{DIP}{text}\n", [f"4 {code} dip.{text.split(':', maxsplit=1)[0]}"], part


def _sizes(
    method: str, key: str, values: tuple[str, ...], code: str
) -> list[tuple[str, list[str], str]]:
    """A key of a size with values that it cannot have; what is no number has another code."""
    kinds = {"span": "NOT_AN_INTEGER", "bars": "NOT_AN_INTEGER", "trades_min": "NOT_AN_INTEGER"}
    other = kinds.get(key, "NOT_A_NUMBER" if key == "notional" else "NOT_A_SHARE")
    rows: list[tuple[str, list[str], str]] = []
    for value in values:
        is_number = value.lstrip("-").rstrip("%").isdigit()
        said = f"2 {code if is_number else other} cross.size.{key}"
        rows.append((f"{C}size: {{method: {method}, {key}: {value}}}\n", [said], ""))
    return rows


ROWS: list[Row] = rows_of(
    "strategies",
    [
        # --- names and shapes
        ("Cross: {}\n", ["1 BAD_NAME Cross"], "not a name"),
        ("my-cross: {}\n", ["1 BAD_NAME my-cross"], "lower case"),
        ("1: {}\n", ["1 BAD_NAME 1"], "lower case"),
        ("a__b: {}\n", ["1 BAD_NAME a__b"], "single underscores"),
        ("a" * 33 + ": {}\n", ["1 BAD_NAME " + "a" * 33], "at most 32"),
        ("cross: ma_cross.py\n", ["1 WRONG_KIND cross"], "keys and values"),
        ("cross: []\n", ["1 WRONG_KIND cross"], "not a list"),
        ("cross:\n", ["1 NO_VALUE cross"], "no value"),
        ("strategies: {cross: {}}\n", ["1 UNKNOWN_KEY strategies.cross"], "strategies"),
        # --- flags, counts, words
        _key("enabled: no", "NOT_A_BOOLEAN", "mean false"),
        _key("enabled: Yes", "NOT_A_BOOLEAN", "mean true"),
        _key("enabled: True", "NOT_A_BOOLEAN", "mean true"),
        _key("enabled: 1", "NOT_A_BOOLEAN", "true or false"),
        _key("enabled: []", "WRONG_KIND", "not a list"),
        _key("shadow: y", "NOT_A_BOOLEAN", "true or false"),
        _key("pyramiding: off", "NOT_A_BOOLEAN", "mean false"),
        _key("priority: high", "NOT_AN_INTEGER", "'high'"),
        _key("priority: -1", "OUT_OF_RANGE", "outside"),
        _key("priority: 1.5", "NOT_AN_INTEGER", "whole"),
        _key("ttl_bars: 0", "OUT_OF_RANGE", "1 to 1000"),
        _key("timeframe: hourly", "NOT_A_CHOICE", "one of 1m"),
        _key("timeframe: 1H", "NOT_A_CHOICE", "did you mean 1h"),
        _key("timeframe: 12:30:00", "NOT_A_CHOICE", "12:30:00"),
        _key("max_hold: 3", "NOT_A_DURATION", "unit"),
        _key("max_hold: 3 days", "NOT_A_DURATION", "write"),
        _key("max_hold: 99999d", "OUT_OF_RANGE", "3650d"),
        _key("tier: main", "NOT_A_CHOICE", "core"),
        _key("tier: [core]", "WRONG_KIND", "not a list"),
        _key("preset: Slow", "NOT_A_NAME", "lower case"),
        _key("preset: slow", "PRESET_UNKNOWN", "presets"),
        _key("file: ../x.py", "NOT_A_NAME", "Python file"),
        _key("file: /x.py", "NOT_A_NAME", "Python file"),
        _key("file: x.txt", "NOT_A_NAME", "Python file"),
        # --- instruments
        _key("instruments: all", "NOT_A_CHOICE", "univ"),
        _key("instruments: ['*/USDT']", "NOT_A_PAIR", "tier"),
        _key("instruments: [ETH]", "NOT_A_PAIR", "BTC/USDT"),
        _key("instruments: [DOGE/USDT]", "PAIR_OUTSIDE_UNIVERSE", "in no tier"),
        _key("instruments: [ETH/USDT:USDT]", "PAIR_DERIVATIVE", "only spot"),
        _key("instruments: [ETH/USDT, ETH/USDT]", "PAIR_TWICE", "keep one"),
        _key("instruments: {ETH/USDT: 1}", "WRONG_KIND", "must be a list"),
        (
            C + "tier: core\n  instruments: [ETH/USDT]\n",
            ["3 INSTRUMENTS_TWICE cross.instruments"],
            "keep one",
        ),
        # --- size and budget
        _key("size: 5%", "WRONG_KIND", "keys and values"),
        (C + "size: {equity_share: 5}\n", ["2 SHARE_SCALE cross.size.equity_share"], "mean 5%"),
        (C + "size: {equity_share: 0}\n", ["2 OUT_OF_RANGE cross.size.equity_share"], "outside"),
        (C + "size: {notional_min: ten}\n", ["2 NOT_A_NUMBER cross.size.notional_min"], "'ten'"),
        (C + "size: {risk: 1%}\n", ["2 RISK_AMBIGUOUS cross.size.risk"], "size.equity_share"),
        (C + "size: {max_risk: 1%}\n", ["2 RISK_AMBIGUOUS cross.size.max_risk"], "size.loss"),
        (C + "size: {method: kely}\n", ["2 NOT_A_CHOICE cross.size.method"], "mean kelly"),
        (C + "size: {method: 1%}\n", ["2 NOT_A_CHOICE cross.size.method"], "risk_parity"),
        *_sizes("risk", "loss", ("0", "-1%", "21%", "nan", "1e-2"), "OUT_OF_RANGE"),
        *_sizes("kelly", "loss_max", ("0", "-1%", "21%", "inf"), "OUT_OF_RANGE"),
        *_sizes("kelly", "fraction", ("0", "-5%", "101%", "nan"), "OUT_OF_RANGE"),
        *_sizes("kelly", "trades_min", ("4", "-1", "10001", "many"), "OUT_OF_RANGE"),
        *_sizes("volatility", "volatility", ("0", "-1%", "1001%", "nan"), "OUT_OF_RANGE"),
        *_sizes("volatility", "span", ("1", "201", "1.5", "0x10"), "OUT_OF_RANGE"),
        *_sizes("risk_parity", "bars", ("19", "391", "-1", "20d"), "OUT_OF_RANGE"),
        *_sizes("risk_parity", "shrink", ("-1%", "101%", "nan", "half"), "OUT_OF_RANGE"),
        *_sizes("fixed", "notional", ("0", "-100", "1000000001", "1e30", "ten"), "OUT_OF_RANGE"),
        (
            C + "size: {method: risk_parity, across: pairs}\n",
            ["2 NOT_A_CHOICE cross.size.across"],
            "instruments, strategies",
        ),
        (C + "size: {stake: 100}\n", ["2 UNKNOWN_KEY cross.size.stake"], "known here"),
        (C + "budget: {exposure: 50}\n", ["2 SHARE_SCALE cross.budget.exposure"], "mean 50%"),
        (C + "budget: {loss: -1%}\n", ["2 OUT_OF_RANGE cross.budget.loss"], "outside"),
        (C + "budget: {max_risk: 1%}\n", ["2 RISK_AMBIGUOUS cross.budget.max_risk"], "loss"),
        (
            C + "budget: {positions_max: 1.0}\n",
            ["2 NOT_AN_INTEGER cross.budget.positions_max"],
            "whole",
        ),
        (
            C + "budget: {trades_per_day_max: ~}\n",
            ["2 NOT_AN_INTEGER cross.budget.trades_per_day_max"],
            "'~'",
        ),
        # --- parameters
        (
            C + "parameters: {a: nan, b: 1e3, c: x}\n",
            [f"2 NOT_A_NUMBER cross.parameters.{name}" for name in "abc"],
            "finite",
        ),
        _key("parameters: [1, 2]", "WRONG_KIND", "not a list"),
        (C + "parameters: {Fast: 1}\n", ["2 BAD_NAME cross.parameters.Fast"], "lower case"),
        (C + "parameters: {fast: {}}\n", ["2 WRONG_KIND cross.parameters.fast"], "not a mapping"),
        (DIP + "parameters: {n: 5}\n", ["4 PARAMETER_UNKNOWN dip.parameters.n"], "n"),
        # --- distances
        ("dip:\n  enter: close < open\n", ["1 STOP_MISSING dip"], "write stop"),
        ("dip:\n  enter: close < open\n  stop: 5\n", ["3 NOT_A_SHARE dip.stop"], "write 5%"),
        ("dip:\n  enter: close < open\n  stop: 0.05\n", ["3 NOT_A_SHARE dip.stop"], "write 5%"),
        ("dip:\n  enter: close < open\n  stop: 0%\n", ["3 OUT_OF_RANGE dip.stop"], "above 0"),
        ("dip:\n  enter: close < open\n  stop: 100%\n", ["3 OUT_OF_RANGE dip.stop"], "at most"),
        ("dip:\n  enter: close < open\n  stop: -5%\n", ["3 NOT_A_SHARE dip.stop"], "not a dist"),
        ("dip:\n  enter: close < open\n  stop: 1e1%\n", ["3 NOT_A_SHARE dip.stop"], "not a dist"),
        ("dip:\n  enter: close < open\n  stop: close < 5\n", ["3 RULE_RESULT dip.stop"], "number"),
        ("dip:\n  enter: close < open\n  stop: [5%]\n", ["3 WRONG_KIND dip.stop"], "not a list"),
        _rule("target: 5", "NOT_A_SHARE", "write 5%"),
        _rule("trail: two percent", "RULE_SYNTAX"),
        _rule("trail: 5 * atr", "RULE_NAME", "write atr(14)"),
        _rule("trail_from: 5", "NOT_A_SHARE", "write 5%"),
        _rule("break_even: 0%", "OUT_OF_RANGE", "above 0"),
        _rule("break_even: close < open", "RULE_RESULT", "number"),
        # --- steps of a scale-out
        _rule("scale_out: 5%", "WRONG_KIND", "must be a list"),
        _rule("scale_out: [5%]", "WRONG_KIND", "keys and values"),
        (DIP + "scale_out: [{share: 30%}]\n", ["4 NO_VALUE dip.scale_out.at"], "5%"),
        (DIP + "scale_out: [{at: 5%}]\n", ["4 NOT_A_SHARE dip.scale_out.share"], "share"),
        (
            DIP + "scale_out:\n  - {at: 5%, share: 30%}\n  - {at: 0%, share: 101%}\n",
            ["6 OUT_OF_RANGE dip.scale_out.at", "6 OUT_OF_RANGE dip.scale_out.share"],
            "above 0",
        ),
        (
            DIP + "scale_out: [{at: 5%, share: 30%, what: 1}]\n",
            ["4 UNKNOWN_KEY dip.scale_out.what"],
            "did you mean at",
        ),
        (
            DIP + "scale_out:\n" + "  - {at: 5%, share: 10%}\n" * 6,
            ["5 TOO_LARGE dip.scale_out"],
            "6 items; at most 5",
        ),
        (
            DIP + "scale_out:\n  - {at: 5%, share: 30%}\n  - {at: 3 * atrr(14), share: 9%}\n",
            ["6 RULE_NAME dip.scale_out"],
            "did you mean atr",
        ),
        # --- rules
        ("dip:\n  enter: close <\n  stop: 5%\n", ["2 RULE_SYNTAX dip.enter"], "yaml:2:"),
        ("dip:\n  enter: true\n  stop: 5%\n", ["2 RULE_NAME dip.enter"], "write the condition"),
        ("dip:\n  enter: yes\n  stop: 5%\n", ["2 RULE_NAME dip.enter"], "'yes'"),
        ("dip:\n  enter: [close < 5]\n  stop: 5%\n", ["2 WRONG_KIND dip.enter"], "not a list"),
        ("dip:\n  enter:\n  stop: 5%\n", ["2 NO_VALUE dip.enter"], "no value"),
        (
            "dip:\n  enter: close[-1] < open or clos > sma(close, 0)\n  stop: 5%\n",
            ["2 RULE_LOOKAHEAD dip.enter", "2 RULE_NAME dip.enter", "2 RULE_PERIOD dip.enter"],
            "a bar to come",
        ),
        _rule("exit: rsi(14)", "RULE_RESULT", "condition"),
        _rule("exit: rsi(14) > 70 and", "RULE_SYNTAX"),
        _rule("exit: import os", "RULE_FORBIDDEN"),
        _rule("exit: eval('1') > 0", "RULE_NAME"),
        _rule("strength: close > 1", "RULE_RESULT", "number"),
        _rule("exit: on('15m', close) > 1", "RULE_TIMEFRAME"),
        _rule("exit: close / 0 > 1", "RULE_DIVISION_BY_ZERO"),
        _rule("exit: close > " + "(" * 10_000 + "1" + ")" * 10_000, "TOO_LARGE", "characters"),
        _rule("exits: rsi(14) > 70", "UNKNOWN_KEY", "did you mean exit"),
        ("cross:\n  file: cross.py\n  enter: close < open\n", ["3 ENTRY_TWICE cross.enter"], "one"),
        # --- sweeps
        *SWEEPS,
    ],
)

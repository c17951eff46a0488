"""Broken signals.yaml: defaults, presets, and named triggers that cannot be.

Lives here: the table. Must not live here: broken text (see `broken_text`), every way that a rule
can be wrong (see `rule_refusals`).
"""

from __future__ import annotations

from .broken_kinds import Row, rows_of

D = "defaults: "
P = "presets: "
X = "triggers:\n  x:\n    rule: "
AT = "triggers.x.rule"


def _rule(rule: str, code: str, part: str = "") -> tuple[str, list[str], str]:
    """A trigger with this rule, and the one code that it gives."""
    return f"{X}{rule}\n", [f"3 {code} {AT}"], part


ROWS: list[Row] = rows_of(
    "signals",
    [
        # --- defaults
        (D + "{ttl_bars: 0}\n", ["1 OUT_OF_RANGE defaults.ttl_bars"], "1 to"),
        (D + "{ttl_bars: 1001}\n", ["1 OUT_OF_RANGE defaults.ttl_bars"], "1 to 1000"),
        (D + "{ttl_bars: 2.0}\n", ["1 NOT_AN_INTEGER defaults.ttl_bars"], "whole"),
        (D + "{ttl_bars: 1h}\n", ["1 NOT_AN_INTEGER defaults.ttl_bars"], "'1h'"),
        (D + "{ttl_bars: 010}\n", ["1 NOT_AN_INTEGER defaults.ttl_bars"], "mean 10"),
        (D + "{ttl_bars: 1e1}\n", ["1 NOT_AN_INTEGER defaults.ttl_bars"], "mean 10"),
        (D + "{ttl_bars: .inf}\n", ["1 NOT_AN_INTEGER defaults.ttl_bars"], "finite"),
        (D + "{ttl_bars: no}\n", ["1 NOT_AN_INTEGER defaults.ttl_bars"], "'no'"),
        (D + "{ttl_bars: }\n", ["1 NO_VALUE defaults.ttl_bars"], "no value"),
        (D + "{ttl: 1}\n", ["1 UNKNOWN_KEY defaults.ttl"], "known here: ttl_bars"),
        (D + "{equity_share: 5}\n", ["1 SHARE_SCALE defaults.equity_share"], "mean 5%"),
        (D + "{equity_share: 0}\n", ["1 OUT_OF_RANGE defaults.equity_share"], "outside"),
        (D + "{equity_share: lots}\n", ["1 NOT_A_SHARE defaults.equity_share"], "share"),
        (D + "{risk_per_trade: 1%}\n", ["1 RISK_AMBIGUOUS defaults.risk_per_trade"], "loss"),
        (D + "[ttl_bars]\n", ["1 WRONG_KIND defaults"], "not a list"),
        ("signals: {}\n", ["1 UNKNOWN_KEY signals"], "already is section signals"),
        ("trigers: {}\n", ["1 UNKNOWN_KEY trigers"], "did you mean triggers"),
        # --- presets
        (P + "{Fast: {n: 1}}\n", ["1 BAD_NAME presets.Fast"], "lower case"),
        (P + "{fast: 1}\n", ["1 WRONG_KIND presets.fast"], "keys and values"),
        (P + "[fast]\n", ["1 WRONG_KIND presets"], "not a list"),
        (P + "{fast: {N: 1}}\n", ["1 BAD_NAME presets.fast.N"], "lower case"),
        (P + "{fast: {n: x}}\n", ["1 NOT_A_NUMBER presets.fast.n"], "'x'"),
        (P + "{fast: {n: true}}\n", ["1 NOT_A_NUMBER presets.fast.n"], "'true'"),
        (P + "{fast: {n: 1e5}}\n", ["1 NOT_A_NUMBER presets.fast.n"], "mean 100000"),
        (P + "{fast: {n: -9999999999999}}\n", ["1 OUT_OF_RANGE presets.fast.n"], "10^12"),
        (P + "{fast: {n: [1, 2]}}\n", ["1 WRONG_KIND presets.fast.n"], "not a list"),
        # --- triggers
        ("triggers: [x]\n", ["1 WRONG_KIND triggers"], "not a list"),
        ("triggers: {x: close > 1}\n", ["1 WRONG_KIND triggers.x"], "keys and values"),
        ("triggers: {x: {}}\n", ["1 NO_VALUE triggers.x.rule"], "rule"),
        ("triggers: {x: {rule: ''}}\n", [f"1 NO_VALUE {AT}"], "must be a rule"),
        (
            "triggers: {x: {rules: close > 1}}\n",
            ["1 NO_VALUE triggers.x.rule", "1 UNKNOWN_KEY triggers.x.rules"],
            "must be a rule",
        ),
        ("triggers: {X: {rule: close > 1}}\n", ["1 BAD_NAME triggers.X"], "lower case"),
        (X + "[close]\n", [f"3 WRONG_KIND {AT}"], "not a list"),
        (X + "close > n\n    parameters: {n: x}\n", ["4 NOT_A_NUMBER triggers.x.parameters.n"], ""),
        # --- names that need each other
        (
            "triggers:\n  a: {rule: b}\n  b: {rule: c and close > 1}\n  c: {rule: not a}\n",
            ["2 RULE_CYCLE triggers.a.rule"],
            "a",
        ),
        ("triggers: {a: {rule: a}}\n", ["1 RULE_CYCLE triggers.a.rule"], "a"),
        (_rule("breakdown and close > 1", "RULE_NAME", "breakdown")),
        # --- rules that cannot be
        _rule("close / 0 > 1", "RULE_DIVISION_BY_ZERO"),
        _rule("close / (5 - 5) > 1", "RULE_DIVISION_BY_ZERO"),
        _rule("emma(close, 20) > 1", "RULE_NAME", "did you mean"),
        _rule("close > sma(close)(20)", "RULE_SYNTAX"),
        _rule("close > sma()", "RULE_ARGUMENTS"),
        _rule("close > sma(close, 20, 30)", "RULE_ARGUMENTS"),
        _rule("close > sma(close, length=20)", "RULE_ARGUMENTS"),
        _rule("close > sma(close, 0)", "RULE_PERIOD"),
        _rule("close > sma(close, -5)", "RULE_PERIOD"),
        _rule("close > sma(close, 2.5)", "RULE_PERIOD"),
        _rule("close > sma(close, 10000000)", "RULE_PERIOD"),
        _rule("close > sma(close, 1" + "0" * 400 + ")", "RULE_NUMBER"),
        _rule("close > sma(close, close)", "RULE_ARGUMENTS"),
        _rule("n > 1", "RULE_NAME", "'n'"),
        _rule("1 > 0", "RULE_CONSTANT"),
        _rule("close > 1 and 5", "RULE_TYPE"),
        _rule("macd(12, 26, 9) > 0", "RULE_PART"),
        _rule("close[-1] > 1", "RULE_LOOKAHEAD"),
        _rule("close[n] > 1", "RULE_NAME"),
        _rule("on('90m', close) > 1", "RULE_TIMEFRAME"),
        _rule("on('4h', on('1d', close)) > 1", "RULE_NESTED_ON"),
        _rule("obv() > 1", "RULE_SESSION"),
        _rule("__import__('os').system('ls')", "RULE_NAME"),
        _rule("'(lambda: 1)()'", "RULE_FORBIDDEN"),
        _rule("close > 1 if open else 2", "RULE_FORBIDDEN"),
        _rule("close ** 9 > 1", "RULE_OPERATOR"),
        _rule("close > 1 && open > 1", "RULE_OPERATOR"),
        _rule("close = 1", "RULE_SYNTAX"),
        _rule("close > ", "RULE_SYNTAX"),
        _rule('"close \u2265 1"', "RULE_CHARACTER"),
        _rule("(" * 900 + "close > 1" + ")" * 900, "RULE_TOO_LARGE"),
        _rule("(" * 10_000 + "close > 1" + ")" * 10_000, "TOO_LARGE", "20009 characters"),
        _rule("not " * 10_000 + "close > 1", "TOO_LARGE", "characters"),
        _rule("close" + "[1]" * 5_000 + " > 1", "TOO_LARGE", "characters"),
    ],
)

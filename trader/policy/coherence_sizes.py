"""Rules about how large a strategy's entries are: keys that belong together, and bars they need.

Lives here: keys of another method, an amount that is missing, a window that is too long. Must not
live here: sums and caps (see `coherence_limits`), and whether an order reaches the smallest one
(see `coherence_strategies`).
"""

from __future__ import annotations

from collections.abc import Iterator

from trader.core.size_windows import bars_searched, closes_wanted
from trader.policy.coherence_app import bars_available
from trader.policy.findings import Asked, Finding, Form, written
from trader.policy.form_numbers import ppm
from trader.policy.parameters_sizes import build_size
from trader.policy.problems import Code
from trader.policy.reading import Node
from trader.policy.size_methods import COMMON, KEYS, methods_with


def _own(name: str, *keys: str) -> tuple[tuple[str, ...], ...]:
    return (("strategies", name, "size", *keys), ("strategies", name))


def foreign_keys(form: Form, tree: Node) -> Iterator[Finding]:
    """A key of `size` that its method does not read."""
    for name, row in form["strategies"].items():
        method = row["size"]["method"]
        for key in row["size"]:
            path = ("strategies", name, "size", key)
            if key in (*COMMON, *KEYS[method]) or not written(tree, path):
                continue
            others = " or ".join(methods_with(key))
            message = f"{key} does not belong to method {method}, which does not read it"
            hint = f"remove it, or write method: {others}"
            yield Finding(Code.SIZE_KEY, _own(name, key), message, hint)


def amount_missing(form: Form, tree: Node) -> Iterator[Finding]:
    """A fixed size that does not say how much."""
    for name, row in form["strategies"].items():
        path = ("strategies", name, "size", "notional")
        if row["size"]["method"] == "fixed" and not written(tree, path):
            message = "method fixed needs notional: the value of one position"
            hint = f"write notional: an amount in {form['app']['quote']}"
            yield Finding(Code.SIZE_AMOUNT, _own(name, "method"), message, hint)


def size_window(form: Form, _tree: Node) -> Iterator[Finding]:
    """A size that is taken from more bars than can be read."""
    venue, missing = form["app"]["exchange"]["name"], form["policy"]["limits"]["missing_bars_max"]
    for name, row in form["strategies"].items():
        size, timeframe = build_size(row["size"]), row["timeframe"]
        bars, most = bars_searched(size, ppm(missing)), bars_available(venue, timeframe)
        if bars > most:
            key = "span" if size.method == "volatility" else "bars"
            message = (
                f"needs {closes_wanted(size)} of {bars} bars of {timeframe}; {most} can be read of "
                f"{venue}"
            )
            hint = f"a smaller {key}, or a lower timeframe"
            yield Finding(Code.WARMUP_WINDOW, _own(name, key), message, hint)


RULES: tuple[Asked, ...] = (
    (foreign_keys, ("signals.defaults.size",)),
    (amount_missing, ()),
    (size_window, ("app.exchange.name", "policy.limits.missing_bars_max")),
)

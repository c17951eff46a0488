"""`trader policy check --equity`: what each strategy would really trade, for people and as JSON.

Lives here: the table, at most 80 columns wide, and the sentences below it. Must not live here: the
arithmetic (see `policy.effective_sizes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from textwrap import wrap
from typing import Any

from trader.errors import UsageError
from trader.policy.checked import Form
from trader.policy.effective_sizes import EffectiveSizes, StrategySize, effective_sizes
from trader.policy.findings import amount, percent
from trader.policy.quantities import BadText, parse_decimal

WIDTH = 80
EQUITY_MAX = Decimal(10_000_000_000)
HEADS = ("strategy", "wants", "order", "least", "at stop", "from", "always", "here")


def parse_equity(text: str) -> Decimal:
    """The account that `--equity` asks about; raises UsageError."""
    try:
        value = parse_decimal(text)
    except BadText as error:
        raise UsageError(f"--equity: {error.message}", error.hint or "such as 258.82") from error
    if not 0 <= value <= EQUITY_MAX:
        raise UsageError(f"--equity {text} is outside 0 to {EQUITY_MAX}", "such as 258.82")
    return value


def sizes_of(form: Form, equity: Decimal) -> dict[str, Any]:
    """The sizes as JSON, with the lines of the table under `text`."""
    sizes = effective_sizes(form, equity)
    return {
        "quote": sizes.quote,
        "equity": str(sizes.equity),
        "used": str(sizes.used),
        "fee": str(sizes.fee),
        "round_trip_costs": str(sizes.costs),
        "account_min": _plain(sizes.account_min),
        "account_all": _plain(sizes.account_all),
        "strategies": [_row(form, row) for row in sizes.rows],
        "text": list(size_lines(form, sizes)),
    }


def _row(form: Form, row: StrategySize) -> dict[str, Any]:
    return {
        "name": row.name,
        "method": row.method,
        "asked": percent(row.asked),
        "risked": None if row.risked is None else percent(row.risked),
        "assumed": row.assumed,
        "wanted": str(row.wanted),
        "order": str(row.order),
        "binds": [{"cap": cap.name, "share": percent(cap.share)} for cap in row.binds],
        "least": str(row.least),
        "least_by": row.least_by,
        "trades": row.trades,
        "stop": stop_kind(form, row),
        "loss_at_stop": _plain(row.loss),
        "loss_with_costs": _plain(row.loss_all),
        "needs": _plain(row.needs),
        "account_min": _plain(row.account_min),
        "account_always": _plain(row.account_always),
        "closed": row.closed,
        "large": row.large,
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def stop_kind(form: Form, row: StrategySize) -> str:
    """Where a strategy's stop comes from: its distance as a share, a rule, its file, nowhere."""
    if row.stop is not None:
        return percent(row.stop)
    if form["strategies"][row.name]["stop"]:
        return "by rule"
    return "by file" if form["strategies"][row.name]["file"] else "none"


def size_lines(form: Form, sizes: EffectiveSizes) -> Iterator[str]:
    """The table and what it assumes, line by line."""
    quote = sizes.quote
    yield f"what each strategy would really trade on {amount(sizes.equity)} {quote}"
    if sizes.used != sizes.equity:
        yield f"(app.capital leaves {amount(sizes.used)} of it)"
    yield from _table([HEADS, *(_cells(form, row) for row in sizes.rows)])
    for row in sizes.rows:
        said = "; ".join(_said(row))
        yield from _folded(f"{row.name}: {said}" if said else "")
    yield from _folded(_from_where(sizes))
    yield from _folded(
        "Assumed: a signal of full strength, the most favourable regime (`always`: from there on "
        f"in every regime that opens it), a taker fee of {percent(sizes.fee)}. `order` is the "
        "value after the fee; whole lots may take off up to one lot. `at stop` is without costs: a "
        f"round trip costs up to {percent(sizes.costs)} of the order's value, fees and slippage "
        "both ways."
    )


def _said(row: StrategySize) -> Iterator[str]:
    """What a strategy's size means, what cuts it, and what had to be assumed."""
    assumed = f" (assumed: {row.assumed})" if row.assumed else ""
    if row.risked is not None:
        yield (
            f"{row.method} means to lose {percent(row.risked)} of equity at its stop, costs "
            f"included, and asks for {percent(row.asked)}{assumed}"
        )
    elif row.method != "equity_share":
        yield f"{row.method} asks for {percent(row.asked)} of equity{assumed}"
    for cap in row.binds:
        yield f"{cap.name} leaves {percent(cap.share)} of equity"
    if row.binds and row.stop is not None and row.asked:
        lost = Fraction(row.stop) if row.risked is None else row.risked / row.asked
        yield (
            f"its stop loses {percent(row.share * lost)} of equity, not {percent(row.asked * lost)}"
        )
    if row.closed:
        yield f"never trades: {row.closed}"
    if row.large:
        yield f"does not trade on this account: {row.large}"


def _from_where(sizes: EffectiveSizes) -> str:
    if sizes.account_min is None:
        return "No account is large enough: no strategy can trade."
    text = f"The smallest account that can trade at all: {sizes.account_min} {sizes.quote}"
    if sizes.account_all != sizes.account_min:
        text += f"; every strategy that can trade does from {sizes.account_all} {sizes.quote}"
    return text + "."


def _cells(form: Form, row: StrategySize) -> tuple[str, ...]:
    kind = stop_kind(form, row)
    return (
        row.name,
        f"{row.wanted:.2f}",
        f"{row.order:.2f}",
        amount(row.least),
        f"{row.loss:.2f}" if row.loss is not None else kind,
        "never" if row.account_min is None else f"{row.account_min:.2f}",
        "never" if row.account_always is None else f"{row.account_always:.2f}",
        "yes" if row.trades else "no",
    )


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= WIDTH else " "
    name = min(widths[0], WIDTH - sum(widths[1:]) - len(gap) * (len(widths) - 1))
    for row in rows:
        first = row[0] if len(row[0]) <= name else f"{row[0][: name - 2]}.."
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield gap.join([first.ljust(name), *cells])


def _folded(text: str) -> Iterator[str]:
    yield from wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)

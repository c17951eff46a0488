"""Flows: money that came or went without a fill, as a named human tells it.

Lives here: the checked fact, and its entry. It is no result: capital, equity and everything that
results are measured from move with it (see `core.account_facts`). The next reconcile compares the
books with the venue as ever. Must not live here: finding out at the venue that money moved.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from trader.app.kill import named_human
from trader.core.account_facts import FLOWS
from trader.core.money import AMOUNT_MAX
from trader.core.scale import ScaleError, text, to_decimal, to_units
from trader.core.state import State
from trader.errors import UsageError
from trader.journal.journal import Journal
from trader.records import dataclass

ID_LENGTH_MAX = 64
DIGITS_MAX = 30  # before and behind the point: more is no amount of anything


@dataclass(frozen=True, slots=True)
class Told:
    """What a human says.

    Attributes:
        kind: see `core.account_facts.FLOWS`. amount: decimal text; a withdrawal's without a sign.
        asset: "" for the account's cash. flow_id: what names it, such as the venue's own number of
            the transfer, or "" for one made of what is told.
    """

    kind: str
    amount: str
    asset: str = ""
    flow_id: str = ""


def check_flow(state: State, told: Told, by: str, reason: str, now_ms: int) -> dict[str, Any]:
    """The payload of the `flow` entry. Raises UsageError for what cannot be."""
    by, reason = named_human(by, reason)
    if not state.word("account"):
        raise UsageError("the journal has no books yet", "run `trader cycle` once")
    amount = _amount(told)
    asset = told.asset.strip() or state.word("quote")
    unit = Decimal(1).scaleb(-state.number("cash_digits"))
    units = 0
    if asset == state.word("quote"):
        try:
            units = to_units(amount, unit, "amount")
        except ScaleError as error:
            hint = f"cash is counted in {text(unit)} {asset}"
            raise UsageError(f"{told.amount} {asset} cannot be counted: {error}", hint) from error
        if state.cash_units + units < 0:
            cash = text(to_decimal(state.cash_units, unit))
            raise UsageError(
                f"{text(-amount)} {asset} is more than the program's cash of {cash}",
                "coins are sold first; what is not the program's cash is not told here",
            )
        if state.cash_units + units > AMOUNT_MAX:
            raise UsageError(f"{told.amount} {asset} is more than the books can hold", "")
    row: dict[str, Any] = {"kind": told.kind, "asset": asset, "amount": text(amount)}
    row |= {"units": units, "by": by, "why": reason, "at_ms": now_ms}
    named = told.flow_id.strip() or _made_id(row)
    if len(named) > ID_LENGTH_MAX or not named.isprintable():
        raise UsageError(f"{named!r} is no id", f"give at most {ID_LENGTH_MAX} printable signs")
    return {"flow_id": named, **row}


def record_flow(journal: Journal, payload: dict[str, Any]) -> bool:
    """Write the entry; False when this flow is booked already. Raises UsageError when its id names
    another one: nobody shall believe that money was told which was not. Raises JournalError."""
    name = str(payload["flow_id"])
    if journal.knows_flow(name):
        for booked in journal.flows():
            if booked["flow_id"] == name and _what(booked) != _what(payload):
                raise UsageError(f"flow {name} is a {_what(booked)}", "give this one its own --id")
        return False
    journal.append("flow", payload, int(payload["at_ms"]))
    return True


def _what(row: dict[str, Any]) -> str:
    return f"{row['kind']} of {row['amount']} {row['asset']}"


def _amount(told: Told) -> Decimal:
    comes, goes = FLOWS.get(told.kind, (False, False))
    if not (comes or goes):
        close = get_close_matches(told.kind, FLOWS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(FLOWS)}"
        raise UsageError(f"there is no flow of kind {told.kind!r}", hint)
    try:
        amount = Decimal(told.amount)
    except InvalidOperation as error:
        raise UsageError(f"{told.amount!r} is no amount", "write it as 250 or 0.5") from error
    if not amount.is_finite() or amount == 0 or abs(amount.adjusted()) > DIGITS_MAX:
        raise UsageError(f"{told.amount!r} is no amount", "write it as 250 or 0.5")
    if comes and goes:
        return amount
    if amount < 0:
        raise UsageError(
            f"a {told.kind} of {told.amount} contradicts itself", "write the amount without a sign"
        )
    return amount if comes else -amount


def _made_id(row: dict[str, Any]) -> str:
    words = "|".join(str(row[name]) for name in ("kind", "asset", "amount", "by", "why", "at_ms"))
    return hashlib.sha256(words.encode()).hexdigest()[:16]

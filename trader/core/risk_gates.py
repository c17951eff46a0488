"""Gates over what account and venue can bear: value at risk, pending orders, messages, faults.

Lives here: the plain integers that these gates compare, and one small question per gate. They guard
new risk only; a number that was not filled in refuses. Must not live here: how the numbers are made
(`risk_sums`), and the order in which gates are asked (`gates`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trader.core.money import AMOUNT_MAX
from trader.core.snapshot import Running
from trader.core.state import State

Measure = tuple[bool, int, int]
# Of what decides and sends; each is approved by itself.
HASHES = ("code", "lock", "policy")


class RiskSums:
    """What would be true after the entry, beside what may be true; cash units unless said.

    Attributes:
        unapproved: which of code, lock and policy are not those that a named human approved.
        wait_ms: how long the venue must still be left alone; `faults` in a row.
        duplicates: orders that carry the id that this one would get.
        messages: counted in `messages_window`, this plan's and this entry's included;
            messages_max: of them for entries.
        asset_units: value of the entry's coin, held and being bought. pending_units: value of
            entries whose end is not known. correlated_units: value of what moves with the entry's
            instrument, of `correlated_count` instruments. All with this entry.
        var_units: loss of one day that the stated share of days did not exceed; var_unknown: of
            how many instruments a loss was assumed.
        used_units: what positions cost, orders in flight may cost, and this entry, fees included;
            capital_units: what the program may use.

    Built so that everything refuses until it was filled in.
    """

    __slots__ = (
        "asset_units",
        "asset_units_max",
        "capital_units",
        "correlated_count",
        "correlated_units",
        "correlated_units_max",
        "duplicates",
        "faults",
        "messages",
        "messages_max",
        "messages_window",
        "pending_units",
        "pending_units_max",
        "unapproved",
        "used_units",
        "var_units",
        "var_units_max",
        "var_unknown",
        "wait_ms",
    )

    def __init__(self) -> None:
        """Everything refuses."""
        self.unapproved: Sequence[str] = HASHES
        self.wait_ms = AMOUNT_MAX
        self.duplicates = 1
        self.messages = AMOUNT_MAX
        self.messages_window = "none"
        self.asset_units = self.pending_units = self.correlated_units = AMOUNT_MAX
        self.var_units = self.used_units = AMOUNT_MAX
        self.messages_max = self.asset_units_max = self.pending_units_max = 0
        self.correlated_units_max = self.var_units_max = self.capital_units = 0
        self.faults = self.correlated_count = self.var_unknown = 0


def unapproved(state: State, running: Running) -> list[str]:
    """Which of HASHES are not those of the newest approval; one that is not told is none."""
    found = ((name, str(getattr(running, name))) for name in HASHES)
    return [name for name, sha in found if not sha or sha != state.word(f"approved_{name}")]


def approved(sums: RiskSums) -> Measure:
    """Code, policy and lock are those that a named human approved."""
    return len(sums.unapproved) == 0, 0, len(sums.unapproved)


def venue(sums: RiskSums) -> Measure:
    """After faults in a row the venue is left alone, then one entry tries it."""
    return sums.wait_ms <= 0, 0, sums.wait_ms


def duplicate(sums: RiskSums) -> Measure:
    """No order has the id that this one would get."""
    return sums.duplicates == 0, 0, sums.duplicates


def messages(sums: RiskSums) -> Measure:
    """Requests that change something at the venue, in the window that leaves least room."""
    return sums.messages <= sums.messages_max, sums.messages_max, sums.messages


def asset_exposure(sums: RiskSums) -> Measure:
    """Value of one coin, long and gross alike: there are no shorts."""
    return sums.asset_units <= sums.asset_units_max, sums.asset_units_max, sums.asset_units


def pending_exposure(sums: RiskSums) -> Measure:
    """Value of entries sent or planned whose end nobody knows yet."""
    limit, measured = sums.pending_units_max, sums.pending_units
    return measured <= limit, limit, measured


def correlated_exposure(sums: RiskSums) -> Measure:
    """Value of what moves with the entry's instrument, or cannot be compared with it."""
    limit, measured = sums.correlated_units_max, sums.correlated_units
    return measured <= limit, limit, measured


def value_at_risk(sums: RiskSums) -> Measure:
    """Loss of one day by the history of what is held and being bought."""
    return sums.var_units <= sums.var_units_max, sums.var_units_max, sums.var_units


def capital(sums: RiskSums) -> Measure:
    """What positions cost, open orders and fees, within what the program may use."""
    return sums.used_units <= sums.capital_units, sums.capital_units, sums.used_units


# What a refusal says besides its numbers, by code.
WORDS: dict[str, Callable[[RiskSums], str]] = {
    "HASH_UNAPPROVED": lambda sums: f"differs={','.join(sums.unapproved)}",
    "VENUE_DEGRADED": lambda sums: f"faults={sums.faults}",
    "MESSAGES": lambda sums: f"window={sums.messages_window}",
    "CORRELATED_EXPOSURE": lambda sums: f"instruments={sums.correlated_count}",
    "VALUE_AT_RISK": lambda sums: f"assumed={sums.var_unknown}",
}

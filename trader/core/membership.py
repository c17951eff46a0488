"""Membership: who of a tier's candidates is in, by filters, rank and hysteresis; each with why.

Lives here: one pure function from a snapshot to the members of the tiers that are due, and a row of
the trail for every candidate with its numbers. Must not live here: the measures themselves
(`measures`), reading, and what membership permits (`access`).
"""

from __future__ import annotations

from decimal import Decimal

from trader.core.desk import Seen, TrailRow
from trader.core.gates import NO_ANSWERS
from trader.core.measures import (
    NOT_TOLD,
    age_ms,
    depth_units,
    number_text,
    quote_volume,
    rank_measure,
    spread_ppm,
)
from trader.core.parameters import TierSpec
from trader.core.scale import ScaleError, Spec, text, to_decimal, to_units_rounded
from trader.core.series import Series
from trader.core.snapshot import Snapshot
from trader.core.universe import (
    age_step_ms,
    asks_bars,
    candidates_of,
    is_denied,
    is_due,
    kept_members,
    look_back_ms,
    members_now,
    members_text,
    refreshed_ms,
)
from trader.domain.timeframe import MINUTE_MS, last_closed_open_ms, timeframe_name
from trader.records import dataclass, field

# Trail rows of the universe carry this before the tier's name where others name a strategy.
ROW_PREFIX = "universe:"
# A read that the venue itself refused will be refused again: it is not tried before its time.
REFUSED_READ = "read=VENUE_REFUSED"


@dataclass(slots=True)
class Candidate:
    """One instrument on its way through the filters.

    `excluded`: "" or the code with its numbers. `passing`: what stopped it may be gone at the next
    decision (a read that failed, a quote that was not there).
    """

    symbol: str
    seen: Seen = field(default_factory=dict[str, int | str])
    excluded: str = ""
    passing: bool = False
    measure: float = 0.0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is a member of one tier at one decision.

    `in_force`: members by rank. `kept`: what the state keeps of it when the tier was due, "" when
    it was not. `rows`: one row of the trail per candidate, then.
    """

    in_force: tuple[str, ...]
    kept: str = ""
    rows: tuple[TrailRow, ...] = ()


def is_universe_row(row: TrailRow) -> bool:
    """Whether a row of the trail tells of the universe or the regime, not of a strategy."""
    return row.strategy.startswith(ROW_PREFIX)


def choose_members(snapshot: Snapshot) -> dict[str, Membership]:
    """By tier, who is a member now; chosen anew where that is due."""
    universe, state = snapshot.parameters.universe, snapshot.state
    return {
        tier.name: _chosen_anew(snapshot, tier)
        if is_due(universe, state, tier.name, snapshot.close_ms)
        else Membership(members_now(universe, state, tier.name))
        for tier in universe.tiers
    }


def _chosen_anew(snapshot: Snapshot, tier: TierSpec) -> Membership:
    """A tier of which some candidate could not be looked at stays due: the next decision tries
    again, and who was a member before and could not be looked at is still held to `keep` then."""
    state = snapshot.state
    before = kept_members(state, tier.name)
    found = look_at_all(snapshot, tier)
    chosen = rank_all(tier, found, before)
    unseen = {candidate.symbol for candidate in found if candidate.passing}
    at_ms = max(0, refreshed_ms(state, tier.name)) if unseen else snapshot.close_ms
    kept = [*chosen, *(symbol for symbol in before if symbol in unseen)]
    rows = tuple(_row(tier, candidate) for candidate in found)
    return Membership(tuple(chosen), members_text(at_ms, kept), rows)


def _row(tier: TierSpec, candidate: Candidate) -> TrailRow:
    answer = candidate.excluded or f"MEMBER rank={candidate.rank}"
    name = f"{ROW_PREFIX}{tier.name}"
    return TrailRow(name, candidate.symbol, candidate.seen, {}, NO_ANSWERS, answer)


# --- filters -------------------------------------------------------------------------------------


def look_at_all(snapshot: Snapshot, tier: TierSpec) -> list[Candidate]:
    """Every candidate of a tier, sorted by symbol, measured and filtered."""
    # What the venue lists and the books cannot hold has no instrument, and a trouble that says so.
    known = {*snapshot.state.instruments, *snapshot.troubles}
    symbols = candidates_of(snapshot.parameters, tier, known)
    return [_look_at(snapshot, tier, symbol) for symbol in symbols]


def _look_at(snapshot: Snapshot, tier: TierSpec, symbol: str) -> Candidate:
    found = Candidate(symbol)
    universe, state = snapshot.parameters.universe, snapshot.state
    if is_denied(universe, symbol):
        found.excluded = "UNIVERSE_DENIED"
    elif symbol not in state.instruments:
        said = [s for s in snapshot.troubles.get(symbol, ()) if s.startswith("UNIVERSE_")]
        found.excluded = said[0] if said else "UNIVERSE_UNLISTED known=0"
        found.passing = " read=" in found.excluded and REFUSED_READ not in found.excluded
    elif tier.take and not state.spec(symbol).active:
        # It must not take the place of one that can be traded; else the gates say so themselves.
        found.excluded = "UNIVERSE_UNLISTED active=0"
    else:
        try:
            _measure(snapshot, tier, found)
        except (OverflowError, ScaleError):
            found.excluded = "UNIVERSE_DATA why=overflow"
    return found


def _measure(snapshot: Snapshot, tier: TierSpec, found: Candidate) -> None:
    spec = snapshot.state.spec(found.symbol)
    quote = snapshot.quotes.get(found.symbol)
    book = _Book(spec, spread_ppm(quote), depth_units(spec, quote))
    found.seen = book.seen()
    if asks_bars(tier):
        _measure_bars(snapshot, tier, found, spec)
    found.excluded = found.excluded or book.excluded(tier)
    found.passing = found.passing or found.excluded.startswith("UNIVERSE_DATA why=quote")


def _measure_bars(snapshot: Snapshot, tier: TierSpec, found: Candidate, spec: Spec) -> None:
    universe = snapshot.parameters.universe
    last = last_closed_open_ms(snapshot.close_ms, universe.timeframe_ms)
    bars = _window(snapshot, tier, found, last)
    if bars is None:
        return
    end_ms = last + universe.timeframe_ms
    days = snapshot.series.get((found.symbol, timeframe_name(age_step_ms(universe, tier))))
    age = age_ms(bars, days, end_ms)
    close, volume = bars.close[-1], quote_volume(spec, bars, end_ms)
    found.seen |= {
        "age_minutes": age // MINUTE_MS,
        "close_ticks": close,
        "quote_volume": number_text(volume),
    }
    measure = rank_measure(tier.rank_by, spec, bars, end_ms)
    if measure is not None:
        found.measure = measure
        found.seen[tier.rank_by] = number_text(measure)
    price_ticks_min = to_units_rounded(Decimal(tier.price_min), spec.tick, "price_min", up=True)
    if close < price_ticks_min:
        measured = text(spec.price(close))
        found.excluded = f"UNIVERSE_PRICE limit={tier.price_min} measured={measured}"
    elif age < tier.age_ms_min:
        limit, minutes = tier.age_ms_min // MINUTE_MS, age // MINUTE_MS
        found.excluded = f"UNIVERSE_AGE limit_minutes={limit} measured_minutes={minutes}"
    elif volume < float(tier.quote_volume_min):
        measured = number_text(volume)
        found.excluded = f"UNIVERSE_VOLUME limit={tier.quote_volume_min} measured={measured}"
    elif measure is None and tier.take:
        found.excluded = f"UNIVERSE_DATA why=short rank_by={tier.rank_by}"


def _window(snapshot: Snapshot, tier: TierSpec, found: Candidate, last_ms: int) -> Series | None:
    """The bars that a tier's measures read; None, and the candidate excluded, when they are not
    good for it."""
    universe = snapshot.parameters.universe
    troubles = snapshot.troubles.get(found.symbol, ())
    if troubles:
        found.excluded = f"UNIVERSE_DATA why={troubles[0]}"
        found.passing = not any(REFUSED_READ in said for said in troubles)
        return None
    series = snapshot.series.get((found.symbol, universe.timeframe))
    newest = series.open_ms[-1] if series is not None and len(series) else -1
    if series is not None and newest > last_ms:
        series = series.slice(0, series.index_of(last_ms + 1))
        newest = series.open_ms[-1] if len(series) else -1
    if series is None or newest != last_ms:
        seen = newest if newest >= 0 else "none"
        found.excluded = f"UNIVERSE_DATA why=stale wanted_ms={last_ms} newest_ms={seen}"
        return None
    # A window may be longer than this tier asks for: a strategy, or another tier, reads it too.
    back = look_back_ms(universe, tier)
    since = series.index_of(last_ms + universe.timeframe_ms - back)
    return series.slice(since, len(series)) if since else series


@dataclass(frozen=True, slots=True)
class _Book:
    """What the quote tells of a candidate, and what a tier asks of it."""

    spec: Spec
    spread_ppm: int
    depth_units: int

    def seen(self) -> Seen:
        """For the trail: what was told."""
        told = {"depth_units": self.depth_units, "spread_ppm": self.spread_ppm}
        return {name: value for name, value in told.items() if value != NOT_TOLD}

    def excluded(self, tier: TierSpec) -> str:
        """The first filter that says no, with its numbers; "" when all pass."""
        if tier.spread_ppm_max and self.spread_ppm == NOT_TOLD:
            return "UNIVERSE_DATA why=quote"
        if tier.spread_ppm_max and self.spread_ppm > tier.spread_ppm_max:
            limit, measured = tier.spread_ppm_max, self.spread_ppm
            return f"UNIVERSE_SPREAD limit_ppm={limit} measured_ppm={measured}"
        unit = self.spec.cash_unit
        least = to_units_rounded(Decimal(tier.depth_min), unit, "depth_min", up=True)
        # Where the venue gives no sizes the filter cannot be asked.
        if self.depth_units != NOT_TOLD and self.depth_units < least:
            measured = text(to_decimal(self.depth_units, unit))
            return f"UNIVERSE_DEPTH limit={tier.depth_min} measured={measured}"
        return ""


# --- ranking -------------------------------------------------------------------------------------


def rank_all(tier: TierSpec, found: list[Candidate], before: tuple[str, ...]) -> list[str]:
    """Rank who passed (greatest measure first, equal ones by symbol) and choose: in when the rank
    is at most `take`, and who was in stays until it is beyond `keep`. Returns members by rank."""
    passed = [candidate for candidate in found if not candidate.excluded]
    passed.sort(key=lambda candidate: (-candidate.measure, candidate.symbol))
    keep = max(tier.take, tier.keep)
    chosen: list[str] = []
    for rank, candidate in enumerate(passed, 1):
        candidate.rank = rank
        was_in = candidate.symbol in before
        candidate.seen["rank"] = rank
        candidate.seen["was_member"] = int(was_in)
        limit = keep if was_in else tier.take
        if tier.take and rank > limit:
            candidate.excluded = f"UNIVERSE_RANK limit={limit} measured={rank}"
        else:
            chosen.append(candidate.symbol)
    return chosen

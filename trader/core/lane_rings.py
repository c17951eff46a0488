"""Rings: days, entries sent and messages of a state, from the lane's numbers.

Lives here: what `lane_state` puts back of which there are hundreds of rows. Rows are equal to those
that `fold` makes. Must not live here: when that is done, and rows of which there are few.
"""

from __future__ import annotations

from trader.core.days import DayRow
from trader.core.lane_books import LaneBooks
from trader.core.lane_messages import LaneMessages
from trader.core.lane_rows import LaneDay
from trader.core.state import MINUTE_SLOTS, SENT_SLOTS, STAMP_SLOTS

SENT, STAMPS, MINUTES = SENT_SLOTS, STAMP_SLOTS, MINUTE_SLOTS


def load_day(day: LaneDay, row: DayRow) -> None:
    """Take a day as the state has it."""
    day.day = row.day
    day.start_units = row.start_units
    day.end_units = row.end_units
    day.flow_units = row.flow_units
    day.low_units = row.low_units
    day.realised_units = row.realised_units
    day.fees_units = row.fees_units
    day.fills = row.fills
    day.trades = row.trades
    day.changed = 0


def store_days(kept: dict[str, DayRow], name: str, days: list[LaneDay]) -> None:
    """Put the days of a name ("": of the account) that changed into a state's."""
    for slot in range(len(days)):
        day = days[slot]
        if day.changed == 0:
            continue
        key = f"{name}|{slot}"
        row = kept.get(key)
        if row is None:
            # All that its __init__ would read from a canonical row follows here.
            row = kept[key] = DayRow.__new__(DayRow)
            row.key = key
            row.name = name
        row.day = day.day
        row.start_units = day.start_units
        row.end_units = day.end_units
        row.flow_units = day.flow_units
        row.low_units = day.low_units
        row.realised_units = day.realised_units
        row.fees_units = day.fees_units
        row.fills = day.fills
        row.trades = day.trades
        day.changed = 0


def store_sent(kept: dict[str, str], books: LaneBooks) -> None:
    """Put the entries sent since the state was loaded into its ring."""
    names = [strand.name for strand in books.strands]
    for number in range(books.sent_count - min(books.sent_new, SENT), books.sent_count):
        slot = number % SENT
        kept[f"{slot}"] = f"{books.sent_at[slot]} {names[books.sent_by[slot]]}"
    books.sent_new = 0


def store_messages(kept: dict[str, str], messages: LaneMessages) -> None:
    """Put the messages sent since the state was loaded into its rings."""
    if messages.new == 0:
        return
    for number in range(messages.count - min(messages.new, STAMPS), messages.count):
        slot = number % STAMPS
        kept[f"s{slot}"] = f"{messages.stamp_at[slot]}"
    # Where more minutes changed than there are places, the others are put where they are already.
    every = len(messages.log) >= MINUTES
    for slot in range(MINUTES) if every else set(messages.log):
        if messages.minute_at[slot] >= 0:
            kept[f"{slot}"] = f"{messages.minute_at[slot]} {messages.minutes[slot]}"
    messages.log.clear()
    messages.new = 0

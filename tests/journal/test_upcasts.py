"""Payloads that older programs wrote are read as those of today."""

from __future__ import annotations

import pytest

from trader.core.limits import Limits
from trader.core.parameters import Parameters
from trader.core.snapshot import Snapshot, snapshot_payload
from trader.core.state import State
from trader.errors import JournalError
from trader.journal.codec import upcast, version_of


def test_a_snapshot_of_version_1_says_of_no_lock_file() -> None:
    limits = Limits(1, 1, 1, 1, 1, "1", 1, 1, 1)
    given = Parameters("a", "paper", "abcdef", "USDT", 60_000, 4, "", "1000", limits, ())
    today = snapshot_payload(Snapshot(0, 0, State(), given, {}, {}, {}))
    old = {name: value for name, value in today.items() if name != "lock"}
    assert version_of("snapshot") == 2
    assert upcast("snapshot", 1, old) == today  # nothing runs there: all three hashes are ""
    assert upcast("snapshot", 2, today) == today


def test_a_snapshot_of_a_program_to_come_is_not_guessed_at() -> None:
    with pytest.raises(JournalError, match="kind snapshot has version 3"):
        upcast("snapshot", 3, {})

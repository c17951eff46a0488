"""Payloads that older programs wrote are read as those of today."""

from __future__ import annotations

import pytest

from trader.core.snapshot import snapshot_payload
from trader.errors import JournalError
from trader.journal.codec import upcast, version_of

from ..core.made import account, snapshot


def test_a_snapshot_of_version_1_says_of_no_lock_file() -> None:
    today = snapshot_payload(snapshot(account()))
    old = {name: value for name, value in today.items() if name != "lock"}
    assert version_of("snapshot") == 2
    assert upcast("snapshot", 1, old) == today  # nothing runs there: all three hashes are ""
    assert upcast("snapshot", 2, today) == today


def test_a_snapshot_of_a_program_to_come_is_not_guessed_at() -> None:
    with pytest.raises(JournalError, match="kind snapshot has version 3"):
        upcast("snapshot", 3, {})

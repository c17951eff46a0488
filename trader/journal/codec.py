"""Entries as bytes: canonical JSON, the hash of an entry, and reading old payload versions.

Lives here: what a hash covers, how a payload is read back, and the upcasters. Must not live here:
the canonical encoding (`core.canonical`), SQL.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from trader.errors import JournalError
from trader.records import dataclass

Payload = dict[str, Any]
Upcaster = Callable[[Payload], Payload]

HASH_LENGTH = 64
NO_HASH = "0" * HASH_LENGTH


def _snapshot_without_lock(payload: Payload) -> Payload:
    """Version 1 did not tell the hash of the locked requirements."""
    return {**payload, "lock": ""}


# (kind, version) -> how a payload of that version becomes one of the next version.
UPCASTERS: dict[tuple[str, int], Upcaster] = {("snapshot", 1): _snapshot_without_lock}


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact as it stands in the journal.

    Attributes:
        version: of the payload as it was written. payload: in the newest version, decoded.
        prev_hash, hash: sha256 as 64 hex digits; `hash` covers every other stored column.
    """

    seq: int
    at_ms: int
    kind: str
    version: int
    payload: Payload
    prev_hash: str
    hash: str


def _refuse_float(text: str) -> NoReturn:
    raise TypeError(f"{text} is a float, and facts are integers or decimal text")


def decode(text: str) -> Payload:
    """A payload from its canonical JSON; TypeError when a float is in it."""
    payload: Payload = json.loads(text, parse_float=_refuse_float, parse_constant=_refuse_float)
    return payload


def entry_hash(seq: int, at_ms: int, kind: str, version: int, payload: str, prev_hash: str) -> str:
    """sha256 of the columns, one per line; only the last, the payload, may hold any character."""
    covered = f"{seq}\n{at_ms}\n{kind}\n{version}\n{prev_hash}\n{payload}"
    return hashlib.sha256(covered.encode()).hexdigest()


def version_of(kind: str, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS) -> int:
    """The version that is written today: one above the newest that has an upcaster."""
    return 1 + max((old for name, old in upcasters if name == kind), default=0)


def upcast(
    kind: str,
    version: int,
    payload: Payload,
    upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS,
) -> Payload:
    """The payload in today's version; raises JournalError for one that is newer than this code."""
    newest = version_of(kind, upcasters)
    if not 1 <= version <= newest:
        raise JournalError(
            f"an entry of kind {kind} has version {version}, this program knows up to {newest}",
            "use the program that wrote it, or a newer one",
        )
    for step in range(version, newest):
        payload = upcasters[kind, step](payload)
    return payload

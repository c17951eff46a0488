"""Identity of an order: the same decision always gives the same client order id.

Lives here: how the id is derived and recognised. 32 lowercase hex fit every venue's length and
character set. The id is *not* an idempotency key: venues forget ids; the journal does not.
"""

from __future__ import annotations

import hashlib

OWNER_LENGTH = 6
ID_LENGTH = 32


def owner_prefix(account: str, mode: str) -> str:
    """Six hex digits that name account and mode: own orders are known without the journal."""
    return hashlib.sha256(f"{account}|{mode}".encode()).hexdigest()[:OWNER_LENGTH]


def client_order_id(
    prefix: str, account: str, strategy: str, symbol: str, *, bar_ms: int, leg: int, attempt: int
) -> str:
    """The id of attempt `attempt` (from 0) of leg `leg` (from 0) of one decision bar."""
    parts = "|".join((account, strategy, symbol, str(bar_ms), str(leg), str(attempt)))
    return prefix + hashlib.sha256(parts.encode()).hexdigest()[: ID_LENGTH - OWNER_LENGTH]


def is_own(client_id: str, prefix: str) -> bool:
    """Whether an order at the venue was made by this account in this mode."""
    return len(client_id) == ID_LENGTH and client_id.startswith(prefix)

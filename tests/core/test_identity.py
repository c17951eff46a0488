"""Order identity: deterministic, recognisable, and told apart by every part."""

from __future__ import annotations

import hashlib
import string

from hypothesis import given
from hypothesis import strategies as st

from trader.core.identity import client_order_id, is_own, owner_prefix

ONE = {
    "prefix": "abcdef",
    "account": "main",
    "strategy": "cross",
    "symbol": "BTC/USDT",
    "bar_ms": 60_000,
    "leg": 0,
    "attempt": 0,
}


def made(**changed: object) -> str:
    parts = {**ONE, **changed}
    return client_order_id(**parts)  # type: ignore[arg-type] # parts are of mixed type


def test_the_id_is_the_prefix_and_26_hex_of_a_sha256() -> None:
    digest = hashlib.sha256(b"main|cross|BTC/USDT|60000|0|0").hexdigest()
    assert made() == "abcdef" + digest[:26]
    assert len(made()) == 32
    assert set(made()) <= set(string.hexdigits.lower())


def test_every_part_of_a_decision_makes_another_id() -> None:
    ids = {
        made(),
        made(account="other"),
        made(strategy="mean"),
        made(symbol="ETH/USDT"),
        made(bar_ms=120_000),
        made(leg=1),
        made(attempt=1),
        made(leg=10, attempt=0),
    }
    assert len(ids) == 8


def test_account_and_mode_name_the_owner() -> None:
    assert owner_prefix("main", "live") == hashlib.sha256(b"main|live").hexdigest()[:6]
    assert len({owner_prefix("main", mode) for mode in ("paper", "testnet", "live")}) == 3


@given(st.text(max_size=40))
def test_only_32_letters_that_start_with_the_prefix_are_own(text: str) -> None:
    assert is_own(text, "abcdef") == (len(text) == 32 and text[:6] == "abcdef")


def test_own_and_foreign_orders() -> None:
    assert is_own(made(), "abcdef")
    assert not is_own(made(), "abcde0")
    assert not is_own(made()[:-1], "abcdef")
    assert not is_own("", "abcdef")
    assert not is_own("web_" + "a" * 28, "abcdef")

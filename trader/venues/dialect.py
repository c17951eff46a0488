"""What a venue's answers mean, as tables: one `Dialect` per exchange.

Lives here: the shape of those tables. The tables themselves stand in one file per exchange
(`binance.py`); how they are applied is in `outcomes.py`. Must not live here: ccxt, HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from trader.records import dataclass, field

Json = Any


class Meaning(StrEnum):
    """What a venue's own answer says about a request."""

    REJECTED = "rejected"  # its no: nothing happened
    UNKNOWN = "unknown"  # it may have happened all the same
    ABSENT = "absent"  # it knows no such order


@dataclass(frozen=True, slots=True)
class Verdict:
    """Meaning of one raw code: `code` is our word for it."""

    meaning: Meaning
    code: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer as it came. `parsed` is the JSON, None when it was none."""

    status: int
    headers: Mapping[str, str]
    text: str
    parsed: Json


@dataclass(frozen=True, slots=True)
class SentOrder:
    """The order that a request would place, read back from the request itself."""

    client_order_id: str
    kind: str
    side: str
    tif: str
    qty: str
    price: str


@dataclass(frozen=True)
class Dialect:
    """One exchange's words.

    Attributes:
        options: ccxt `options` of the class, merged over its own.
        hosts: by mode (`testnet`, `live`), the only hosts a request may go to.
        codes: raw code -> verdict, for answers to submits, cancels and reads alike.
        texts: (raw code, text in lower case, part of it) -> verdict: where one code says many
            things. Looked at before `codes`.
        error_of: (raw code, words) of an answer that is the venue's own error, else None.
        shapes: by call name, whether the parsed body can be the answer to it at all.
        sent_order: the order in a request's body, None when it places none.
        symbol_key: name under which a raw order or fill says its instrument (the venue's id).
        info_kept: parts of a market's raw description that ccxt needs to place orders, each with
            what is assumed where a listing leaves it out (the venue has the last word).
        rules_codes: raw codes after which the cached instrument rules are doubted.
        weight_header: lower case header with the request weight used in this window.
        weight_max: the weight that the venue serves in a window (a minute), 0 where it tells none.
        bars_page, fills_page: most rows of one answer.
        fills_window_ms: widest time window of one fill request.
        order_types: by our order type, the venue's in lower case, and the name of the parameter
            that says how long it rests ("" where the type says it). Others are refused.
        fee_in_base: whether a buy's fee comes out of the bought coin.
    """

    exchange_id: str
    options: Mapping[str, Any]
    hosts: Mapping[str, frozenset[str]]
    codes: Mapping[str, Verdict]
    texts: tuple[tuple[str, str, Verdict], ...]
    error_of: Callable[[Json], tuple[str, str] | None]
    shapes: Mapping[str, Callable[[Json], bool]]
    sent_order: Callable[[str], SentOrder | None]
    symbol_key: str
    order_types: Mapping[str, tuple[str, str]]
    info_kept: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rules_codes: frozenset[str] = field(default_factory=frozenset[str])
    weight_header: str = ""
    weight_max: int = 0
    bars_page: int = 500
    fills_page: int = 500
    fills_window_ms: int = 86_400_000

    def verdict(self, raw: str, words: str) -> Verdict | None:
        """Meaning of a raw code with these words; None when the tables do not know it."""
        said = words.lower()
        for code, part, verdict in self.texts:
            if code == raw and part in said:
                return verdict
        return self.codes.get(raw)

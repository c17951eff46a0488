"""What came of a request that may change the account: expected outcomes, as values."""

from __future__ import annotations

from trader.domain.account import Fill
from trader.domain.order import VenueOrder
from trader.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue took it and says so. `order` is its view, `fills` what the reply told."""

    order: VenueOrder
    fills: tuple[Fill, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue's own no. `code` is the venue's code or our class of it, `text` its words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have landed: nothing is concluded, the venue's evidence will settle it."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """No connection was made, so nothing can have landed."""

    code: str
    text: str


Outcome = Accepted | Rejected | Unknown | NotSent

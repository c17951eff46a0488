"""One table decides what came of a request: from what left, what was answered, what was raised.

Lives here: the classification of submits, cancels and reads, and the redaction of texts. The
order of the rows matters and is the safe one: whatever is not the venue's own clear no is unknown,
and "not sent" is said only when no byte has left. ccxt's classes are looked at last and by name
(its tables map outcomes that are unknown to final errors), so this module imports none of it.
Must not live here: requests, parsing of successful answers.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

from trader.domain.outcome import NotSent, Rejected, Unknown
from trader.errors import VenueRefused, VenueUnavailable
from trader.venues.dialect import Dialect, Meaning, Reply, Verdict

# What ccxt raises besides its own errors when an answer has a shape it did not expect.
UNEXPECTED = (
    AttributeError,
    TypeError,
    LookupError,
    ValueError,
    ArithmeticError,  # decimal.InvalidOperation among them
    RecursionError,
)

_TEXT_LENGTH = 300
_BANNED_UNTIL = re.compile(r"until (\d{13})")
_SECRETS = re.compile(r"((?:signature|listenKey|api_?key)=)[^&\s\"']+", re.IGNORECASE)

# ccxt classes whose raise means a clear no, nearest first; asked only when the raw code is new.
_FINAL_CLASSES = {
    "InsufficientFunds": "insufficient_balance",
    "OrderNotFound": "not_found",
    "OrderImmediatelyFillable": "would_take",
    "InvalidOrder": "invalid_order",
    "BadSymbol": "bad_symbol",
    "MarketClosed": "market_closed",
    "PermissionDenied": "no_right",
    "AuthenticationError": "auth",
    "ArgumentsRequired": "bad_request",
    "BadRequest": "bad_request",
    "NotSupported": "not_supported",
}
_REFUSED_CODES = frozenset({"auth", "no_right", "bad_symbol", "no_account"})


class Barred(VenueUnavailable):
    """A request that was stopped here, before anything left: `barred_code` says why."""

    def __init__(self, code: str, what: str, *, retry_at_ms: int = 0) -> None:
        super().__init__(what, retry_at_ms=retry_at_ms)
        self.barred_code = code


class Garbage(ValueError):
    """An answer that cannot be what was asked for."""


def classes_of(error: BaseException) -> list[str]:
    """Names of the classes of an error, nearest first."""
    return [kind.__name__ for kind in type(error).__mro__]


def redact(said: str, secrets: tuple[str, ...] = ()) -> str:
    """One line of bounded length without signatures, keys and secrets."""
    line = " ".join(said.split())
    for secret in secrets:
        if secret:
            line = line.replace(secret, "***")
    return _SECRETS.sub(r"\1***", line)[:_TEXT_LENGTH]


def failed_submit(
    dialect: Dialect, *, left: bool, reply: Reply | None, error: BaseException
) -> Rejected | Unknown | NotSent:
    """What came of a submit or cancel that raised. Texts are still to be redacted."""
    if isinstance(error, Barred) and not left:
        return NotSent(error.barred_code, error.what)
    if not left:
        return _never_left(error)
    if reply is None:
        timed_out = "RequestTimeout" in classes_of(error)
        return Unknown("timeout" if timed_out else "no_answer", _said(error))
    text = f"HTTP {reply.status} {reply.text}"
    if reply.status in (418, 429):
        return Unknown("rate_limited", text)
    if reply.status >= 500 or reply.status == 408:
        return Unknown(f"http_{reply.status}", text)
    told = dialect.error_of(reply.parsed)
    if told is None:
        garbage = 200 <= reply.status < 300
        return Unknown("garbage" if garbage else f"http_{reply.status}", text)
    raw, words = told
    verdict = dialect.verdict(raw, words) or _by_class(error)
    if verdict is None or verdict.meaning is Meaning.UNKNOWN:
        return Unknown(verdict.code if verdict else "venue_code", f"{raw} {words}")
    return Rejected(verdict.code, f"{raw} {words}")


def failed_read(
    dialect: Dialect, what: str, *, reply: Reply | None, error: BaseException, now_ms: int
) -> VenueUnavailable | VenueRefused:
    """The exception for a read that raised; `what` names venue and call. Texts are still to be
    redacted."""
    if isinstance(error, VenueUnavailable | VenueRefused):
        return error
    if reply is None:
        return VenueUnavailable(f"{what}: no answer: {_said(error)}")
    if reply.status == 451:
        return VenueRefused(f"{what}: HTTP 451 {reply.text}", "the venue refuses this location")
    told = dialect.error_of(reply.parsed) if reply.status < 500 else None
    if told is not None:
        verdict = dialect.verdict(*told) or _by_class(error)
        return _told_no(f"{what}: {told[0]} {told[1]}", verdict, reply, now_ms)
    if reply.status in (418, 429):
        at_ms = retry_at_ms(reply, now_ms)
        return VenueUnavailable(f"{what}: asked to wait: {reply.text}", retry_at_ms=at_ms)
    if 200 <= reply.status < 300:
        return VenueUnavailable(f"{what}: garbage: {_said(error)}: {reply.text}")
    return VenueUnavailable(f"{what}: HTTP {reply.status} {reply.text}")


def _told_no(
    said: str, verdict: Verdict | None, reply: Reply, now_ms: int
) -> VenueUnavailable | VenueRefused:
    """The exception for a read that the venue itself refused."""
    code = verdict.code if verdict else ""
    if reply.status in (418, 429) or code == "rate_limited":
        return VenueUnavailable(said, retry_at_ms=retry_at_ms(reply, now_ms))
    if code in _REFUSED_CODES:
        return VenueRefused(said, "look at the key, its rights and the instrument")
    return VenueUnavailable(said, "set the clock of this host" if code == "clock" else "")


def retry_at_ms(reply: Reply, now_ms: int) -> int:
    """When the venue may be asked again: Retry-After (seconds or date) or its own words."""
    said = _BANNED_UNTIL.search(reply.text)
    banned_ms = int(said[1]) if said else 0
    after = reply.headers.get("Retry-After", "").strip()
    if after.isdigit() and len(after) < 10:
        return max(banned_ms, now_ms + int(after) * 1000)
    if after:
        try:
            return max(banned_ms, int(parsedate_to_datetime(after).timestamp() * 1000))
        except ValueError:
            return max(banned_ms, now_ms + 60_000)
    # It said stop without saying for how long: a window of the limit.
    return banned_ms or now_ms + 60_000


def absent(dialect: Dialect, reply: Reply | None) -> bool:
    """Whether the venue itself says that it knows no such order: a proper error, not a 5xx."""
    if reply is None or not 400 <= reply.status < 500 or reply.status in (418, 429):
        return False
    told = dialect.error_of(reply.parsed)
    verdict = dialect.verdict(*told) if told else None
    return verdict is not None and verdict.meaning is Meaning.ABSENT


def _never_left(error: BaseException) -> Rejected | NotSent:
    classes = classes_of(error)
    if "OperationFailed" in classes:
        return NotSent("no_connection", _said(error))
    verdict = _by_class(error)
    if verdict is not None:
        return Rejected(verdict.code, _said(error))
    return NotSent("not_built", _said(error))


def _by_class(error: BaseException) -> Verdict | None:
    for name in classes_of(error):
        if name in _FINAL_CLASSES:
            return Verdict(Meaning.REJECTED, _FINAL_CLASSES[name])
    return None


def _said(error: BaseException) -> str:
    cause = error.__cause__
    reason = f" ({type(cause).__name__})" if cause is not None else ""
    return f"{type(error).__name__}{reason}: {error}"

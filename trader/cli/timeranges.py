"""`--timerange`: what users type for a stretch of time.

Lives here: reading it. Must not live here: what is done with it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from trader.errors import UsageError

_FORMS = {8: "%Y%m%d", 13: "%Y%m%dT%H%M"}
_MS_DIGITS = 13


def parse_timerange(text: str) -> tuple[int | None, int | None]:
    """(start_ms, end_ms) of `20240101-20240601`, `20240101-`, `-20240601`; None: open end.

    Each end is YYYYMMDD, YYYYMMDDThhmm (UTC), epoch s (10 digits) or ms (13 digits). The start is
    included, the end is not. Raises UsageError.
    """
    if not text:
        return None, None
    start, mark, end = text.partition("-")
    if not mark or not (start or end):
        raise _wrong(text)
    first, last = _moment(start, text), _moment(end, text)
    if first is not None and first == last:
        raise UsageError(f"--timerange {text!r} is empty", "the end itself is not included")
    if first is not None and last is not None and first > last:
        raise UsageError(f"--timerange {text!r} ends before it starts", "swap its ends")
    return first, last


def _moment(text: str, whole: str) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) in {10, _MS_DIGITS}:
        return int(text) * (1 if len(text) == _MS_DIGITS else 1000)
    form = _FORMS.get(len(text))
    if form is None:
        raise _wrong(whole)
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        raise _wrong(whole) from None
    return int(moment.timestamp()) * 1000


def _wrong(text: str) -> UsageError:
    return UsageError(
        f"--timerange {text!r} is not a time range",
        "write 20240101-20240601, 20240101- or -20240601T1200",
    )

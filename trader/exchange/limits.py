"""Request weight, order counts, bans, and API keys with their rights.

Here: counting against the exchange's clock and what a key may do. Not here: which request weighs
how much and how a refusal is worded (a dialect).
"""

from __future__ import annotations

from trader.records import dataclass, field

_BAN_MS_FIRST, _BAN_MS_MAX = 120_000, 259_200_000


@dataclass(slots=True)
class ApiKey:
    """A key of an account and its rights; the admin plane may change them."""

    key: str
    secret: str
    account: str = "main"
    enabled: bool = True
    reading: bool = True
    trading: bool = True
    withdrawals: bool = False
    ip_restricted: bool = True
    created_ms: int = 0


@dataclass(frozen=True, slots=True)
class Excess:
    """A request over the limit: `banned_until_ms` is 0 as long as it is only a warning."""

    retry_after_s: int
    banned_until_ms: int = 0


@dataclass
class Limits:
    """Counters of one address: weight per minute and accepted orders per 10 s and per day."""

    weight_max: int = 6_000
    orders_10s_max: int = 100
    orders_1d_max: int = 200_000
    warnings_max: int = 10
    _used: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    _warnings: int = 0
    _bans: int = 0
    _banned_until_ms: int = 0

    def spend(self, family: str, weight: int, now_ms: int) -> Excess | None:
        """Count a request; an Excess says that it must not be served. Requests that go on after a
        warning lead to a ban, each ban twice as long as the last."""
        if now_ms < self._banned_until_ms:
            return self._ban_notice(now_ms)
        used = self._add(family, now_ms // 60_000, weight)
        if used <= self.weight_max:
            if used == weight:
                self._warnings = 0
            return None
        self._warnings += 1
        if self._warnings > self.warnings_max:
            self._banned_until_ms = now_ms + min(_BAN_MS_FIRST << self._bans, _BAN_MS_MAX)
            self._bans = min(self._bans + 1, 20)
            self._warnings = 0
            return self._ban_notice(now_ms)
        return Excess(60 - now_ms // 1000 % 60)

    def ban(self, until_ms: int) -> None:
        """Ban by hand."""
        self._banned_until_ms = until_ms

    def used(self, family: str, now_ms: int) -> int:
        """Weight used in the current minute."""
        return self._used.get((family, now_ms // 60_000), 0)

    def order_counts(self, account: str, now_ms: int) -> tuple[int, int]:
        """Orders accepted in the current ten seconds and the current day."""
        short = self._used.get((f"10s:{account}", now_ms // 10_000), 0)
        return short, self._used.get((f"1d:{account}", now_ms // 86_400_000), 0)

    def orders_full(self, account: str, now_ms: int) -> tuple[int, str, int] | None:
        """The limit that one more order would break: its size, its window's name, and the seconds
        until the next window; None if there is room."""
        short, day = self.order_counts(account, now_ms)
        if short >= self.orders_10s_max:
            return self.orders_10s_max, "10 SECOND", 10 - now_ms // 1000 % 10
        if day >= self.orders_1d_max:
            return self.orders_1d_max, "1 DAY", 86_400 - now_ms // 1000 % 86_400
        return None

    def count_order(self, account: str, now_ms: int) -> None:
        """One more order was accepted."""
        self._add(f"10s:{account}", now_ms // 10_000, 1)
        self._add(f"1d:{account}", now_ms // 86_400_000, 1)

    def _add(self, family: str, window: int, amount: int) -> int:
        key = (family, window)
        if key not in self._used:
            for old in [k for k in self._used if k[0] == family]:
                del self._used[old]
        self._used[key] = self._used.get(key, 0) + amount
        return self._used[key]

    def _ban_notice(self, now_ms: int) -> Excess:
        left_ms = self._banned_until_ms - now_ms
        return Excess(-(-left_ms // 1000), self._banned_until_ms)

"""The limits of a policy, as the core reads them: what every order and every position is held to.

Lives here: frozen values that `policy` builds from YAML. Shares are millionths (`ppm`), times are
milliseconds, amounts of money are decimal text in the settlement currency (their scale is fixed
only when the books are opened). A limit whose value says "not asked" says so in its line. Must not
live here: how they are written or checked, and what is measured against them.
"""

from __future__ import annotations

from collections.abc import Mapping

from trader.records import dataclass, field

NEVER = 1_000_000_000
ALL_PPM = 1_000_000


def no_amounts() -> Mapping[str, str]:
    """Nothing named by instrument."""
    return {}


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone as data: `starts_ms[i]` UTC, from when on `offsets_ms[i]` is to be added to UTC.

    Sorted; valid from the first start up to (not including) `ends_ms`: outside, nothing can be
    told, and whatever needs it refuses. Made from the zone database when a policy is read, so that
    a replay does not depend on the host's.
    """

    name: str = "UTC"
    starts_ms: tuple[int, ...] = (0,)
    offsets_ms: tuple[int, ...] = (0,)
    ends_ms: int = 4_102_444_800_000


@dataclass(frozen=True, slots=True)
class Weekly:
    """A window of each week, local minutes since Monday 00:00: [start, end), start within the week,
    end may be beyond its last minute (10,080) and then reaches into the next; at most a week."""

    start_min: int
    end_min: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Dated:
    """A window of local wall time, [start_ms, end_ms) in milliseconds since 1970-01-01 00:00 of the
    same clock."""

    start_ms: int
    end_ms: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When entries are allowed. No `sessions`: always, but for the closed windows: `weekly`, and
    `dated` ones (holidays among them), which are sorted and do not overlap."""

    zone: Zone = Zone()
    sessions: tuple[Weekly, ...] = ()
    weekly: tuple[Weekly, ...] = ()
    dated: tuple[Dated, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """The account's day: begins at `starts_min` local minutes after midnight of `zone`."""

    zone: Zone = Zone()
    starts_min: int = 0


@dataclass(frozen=True, slots=True)
class Cooldowns:
    """How long a strategy stays out of an instrument: after any exit (the longer of `exit_ms` and
    `exit_bars` of its bars), after a stop, and after an entry that ended without a fill."""

    exit_ms: int = 0
    exit_bars: int = 0
    stop_ms: int = 0
    unfilled_ms: int = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """What a strategy's settled days must show once there are `days_min` of them, else it goes to
    shadow. `sharpe_milli_min`: thousandths of the annualised Sharpe ratio (365 days, ddof 1);
    `weeks_ppm_min`: share of weeks with a gain. NEVER below zero: -NEVER and 0 ask nothing."""

    sharpe_milli_min: int = -NEVER
    weeks_ppm_min: int = 0
    days_min: int = 60


@dataclass(frozen=True, slots=True)
class Restricted:
    """What nothing is opened in, through or with: instruments (patterns too), sides, order types
    (`limit`, `post_only`, `stop_limit`) and venues."""

    instruments: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    order_types: tuple[str, ...] = ()
    venues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """The owner's own currency, "" when it is the settlement currency. `rate_symbol` is the
    instrument whose price is one unit of it in settlement currency, such as EUR/USDT."""

    currency: str = ""
    rate_symbol: str = ""
    order_value_max: str = ""
    quote_age_ms_max: int = 60_000


@dataclass(frozen=True, slots=True)
class Messages:
    """Requests that change something at the venue (submit, amend, cancel) within a second, a minute
    and a day at most; `reserve_ppm` of each is kept for cancels and exits."""

    second_max: int = NEVER
    minute_max: int = NEVER
    day_max: int = NEVER
    reserve_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a venue that fails is left alone: after `faults_max` faults in a row (0: never) nothing
    is opened for `rest_ms`; then one entry may try, and its success closes the breaker."""

    faults_max: int = 0
    rest_ms: int = 300_000


@dataclass(frozen=True, slots=True)
class ValueAtRisk:
    """Historical: the loss of one day that `confidence_ppm` of the last `days` daily returns of
    what is held and being bought did not exceed. An instrument with fewer than `days_min` daily
    bars counts with a loss of `assumed_ppm` on every day."""

    limit_ppm: int = ALL_PPM
    confidence_ppm: int = 950_000
    days: int = 60
    days_min: int = 30
    assumed_ppm: int = 200_000


@dataclass(frozen=True, slots=True)
class Correlated:
    """Value of what moves with the instrument of an entry, itself included: every instrument whose
    daily returns correlate with its own by `above_ppm` or more, or cannot be compared (the days are
    those of ValueAtRisk)."""

    exposure_ppm_max: int = ALL_PPM
    above_ppm: int = 800_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What gates hold every order to.

    Attributes:
        slippage_ppm: cap on what an order may pay beyond the touch.
        exit_slippage_ppm: cap of an exit's last attempt, >= slippage_ppm.
        exit_attempts: rungs of an exit's ladder, >= 1: evenly wider from the one cap to the other.
        collar_ppm: distance from the last close at which a price is insane; only ever rejects.
        collar_window_ppm, collar_window_bars: the same against the close so many bars of the
            strategy earlier.
        position_ppm: cap of one position's exposure, share of equity.
        positions_max: open positions (and entries in flight) at most.
        order_notional_min: smallest order worth its fees. order_value_max: largest order.
        order_qty_max: largest quantity, coins; `order_qty_max_of` by instrument wins.
        quote_age_ms_max: oldest quote that may gate or price.
        spread_ppm_max: (ask - bid) / mid at most; ALL_PPM: not asked.
        volume_ppm_max, volume_bars: quantity as share of the mean volume of so many bars.
        depth_ppm_max: quantity as share of what stands at the best price; 0: not asked.
        missing_ppm_max: share of bars that may be absent from a strategy's window.
        bar_jump_ppm_max: close-to-close change at which the newest bar is implausible.
        repaint_ppm_max: change of a bar that was decided on, at which its data is not trusted.
        clock_skew_ms_max: distance of this host's clock from the venue's at most.
        exposure_ppm_max: value of all positions and entries in flight, share of equity.
        asset_ppm_max: the same of one coin.
        pending_ppm_max: value of entries whose end is not known yet, this one included.
        loss_ppm_max: what is lost if every stop is hit, share of equity.
        day_stop_ppm: loss of the account's day, marked to market, after which nothing is opened
            until the day ends. drawdown_ppm_max: distance below the high-water mark at which
            nothing is opened until a named human resets the mark. Both share of equity.
        rolling_loss_ppm, rolling_days: loss over so many days, today included, share of the equity
            at their start.
        strategy_drawdown_ppm: of a strategy's book below its high, share of its budget.
        trades_hour_max, trades_day_max: entries sent within the last hour, the last 24 hours.
        unattended_max: entries of one strategy that were filled since a named human last looked.
        pyramiding: whether a strategy may add to what it holds (it must allow it too).
        trim_from_ppm: 0: never; else positions are reduced when exposure or loss is above its cap
            by this share of it (hysteresis), down to the cap.
        approval: whether entries need code, policy and lock to be those that a named human
            approved: `always`, or `given` (only once somebody has approved some).
    """

    slippage_ppm: int
    exit_slippage_ppm: int
    collar_ppm: int
    position_ppm: int
    positions_max: int
    order_notional_min: str
    quote_age_ms_max: int
    missing_ppm_max: int
    bar_jump_ppm_max: int
    exposure_ppm_max: int = ALL_PPM
    loss_ppm_max: int = ALL_PPM
    day_stop_ppm: int = ALL_PPM
    drawdown_ppm_max: int = ALL_PPM
    trades_hour_max: int = NEVER
    trades_day_max: int = NEVER
    pyramiding: bool = False
    exit_attempts: int = 2
    collar_window_ppm: int = NEVER
    collar_window_bars: int = 24
    order_value_max: str = "1000000000"
    order_qty_max: str = "1000000000000"
    order_qty_max_of: Mapping[str, str] = field(default_factory=no_amounts)
    spread_ppm_max: int = ALL_PPM
    volume_ppm_max: int = NEVER
    volume_bars: int = 20
    depth_ppm_max: int = 0
    repaint_ppm_max: int = NEVER
    clock_skew_ms_max: int = NEVER
    asset_ppm_max: int = ALL_PPM
    pending_ppm_max: int = ALL_PPM
    rolling_loss_ppm: int = ALL_PPM
    rolling_days: int = 7
    strategy_drawdown_ppm: int = NEVER
    unattended_max: int = NEVER
    trim_from_ppm: int = 0
    approval: str = "given"
    day: Day = Day()
    calendar: Calendar = Calendar()
    cooldowns: Cooldowns = Cooldowns()
    quality: Quality = Quality()
    restricted: Restricted = Restricted()
    home: Home = Home()
    messages: Messages = Messages()
    breaker: Breaker = Breaker()
    var: ValueAtRisk = ValueAtRisk()
    correlated: Correlated = Correlated()

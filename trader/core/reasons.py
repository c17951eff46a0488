"""Reason codes: every answer that the core gives to "why", with its meaning.

Lives here: the list that the documents are generated from. A code that is not here must not be
used, and one that is here must be used (a test holds both).
"""

from __future__ import annotations

REFUSALS: dict[str, str] = {
    "HALT_LEVEL": "the account is halted at a level that forbids this order",
    "BOOKS_MISMATCH": "journal and venue disagree; no new risk until it is explained",
    "INSTRUMENT_INACTIVE": "the venue accepts no orders for the instrument now",
    "SESSION_CLOSED": "no session is on; `window` says why, `ends_ms` when the next one begins",
    "BLACKOUT": "a closed window of the calendar holds now: `window`, until `ends_ms`",
    "DATA_STALE": "the newest closed bar of the strategy's timeframe is not there",
    "DATA_GAPPY": "more bars are absent from the window than policy allows",
    "DATA_SHORT": "the history does not reach back far enough for the strategy's warm-up",
    "DATA_IMPOSSIBLE": "the venue's bars contradict themselves or cannot be",
    "DATA_JUMP": "the newest close is implausibly far from the one before",
    "QUOTE_MISSING": "no bid or ask, or one that is zero",
    "QUOTE_CROSSED": "the bid is above the ask",
    "QUOTE_OLD": "the quote is older than policy allows, or from the future",
    "PRICE_COLLAR": "the price is insanely far from the last close (an independent reference)",
    "SLIPPAGE_CAP": "the price would pay more beyond the touch than policy allows",
    "TOUCH_MOVED": "the touch is already beyond the worst price that the size was computed for",
    "OUTCOME_UNKNOWN": "an order on the instrument has an unknown outcome",
    "ORDER_WORKING": "an entry order already works on the instrument",
    "ALREADY_HELD": "the strategy already holds the instrument",
    "OWNED_BY_OTHER": "another strategy owns the instrument",
    "POSITIONS_MAX": "as many positions as allowed are open or being opened",
    "POSITION_CAP": "the position would exceed its share of equity",
    "DAY_STOP": "the day's loss reached its limit; nothing is opened until the UTC day ends",
    "DRAWDOWN_STOP": "equity fell too far below its high; a named human must reset the mark",
    "TRADES_HOUR": "as many entries as allowed were sent within the last hour",
    "TRADES_DAY": "as many entries as allowed were sent within the last 24 hours",
    "EXPOSURE_TOTAL": "the value of all positions and entries in flight would exceed its share",
    "LOSS_TOTAL": "what is lost if every stop is hit would exceed its share of equity",
    "BUDGET_EXPOSURE": "the value that the strategy holds would exceed its budget",
    "BUDGET_LOSS": "what the strategy loses if every stop is hit would exceed its budget",
    "BUDGET_POSITIONS": "the strategy has as many positions as its budget allows",
    "BUDGET_TRADES_DAY": "the strategy sent as many entries within 24 hours as its budget allows",
    "CASH": "cash of the slice, less what is in flight, does not cover cost and fee",
    "QTY_MIN": "the quantity is below the instrument's smallest",
    "QTY_MAX": "the quantity is above the instrument's largest",
    "NOTIONAL_MIN": "the order's value is below the venue's or the policy's smallest",
    "STRATEGY_OFF": "the strategy is not enabled, or its code failed: it opens nothing",
    "STRATEGY_SHADOW": "the strategy only watches: what it decides is written down, not sent",
    "TIER_CLOSED": "the market's regime lets the tier open nothing",
    "REGIME_UNKNOWN": "the market's regime cannot be told, so no tier opens anything",
    "NOT_A_MEMBER": "the instrument is not a member of its tier now",
    "TIER_POSITIONS": "as many positions of the tier as allowed are open or being opened",
    "TIER_WEIGHT": "the tier would exceed its share of equity",
    "AMOUNT_OVERFLOW": "an amount does not fit the core's integers",
}

UNIVERSE: dict[str, str] = {
    "MEMBER": "the instrument passed every filter of its tier and its rank is high enough",
    "REGIME_TOLD": "a state of the market was told from the benchmark's newest closed bar",
    "UNIVERSE_DENIED": "the deny list names the instrument or matches it",
    "UNIVERSE_UNLISTED": "the venue does not offer the instrument, or the books cannot hold it",
    "UNIVERSE_MANY": "the pattern stands for more instruments than can be looked at: narrow it",
    "UNIVERSE_DATA": "its bars or its quote are not good enough to be measured",
    "UNIVERSE_PRICE": "its price is below the tier's floor",
    "UNIVERSE_AGE": "it was listed later than the tier allows",
    "UNIVERSE_VOLUME": "its traded value of the last 24 hours is below the tier's least",
    "UNIVERSE_SPREAD": "its bid and ask are farther apart than the tier allows",
    "UNIVERSE_DEPTH": "less stands at its best bid or ask than the tier asks for",
    "UNIVERSE_RANK": "others rank higher, and as many as the tier takes are members",
}

QUIET: dict[str, str] = {
    "NO_SIGNAL": "the strategy asks for nothing",
    "SIGNAL_USED": "the living entry signal was already acted on",
    "HOLD": "the position is held: nothing says to leave it",
    "SIGNAL_NOT_READY": "an output lacks rows, or the signal a usable stop, target or strength",
    "STRATEGY_FAILED": "the strategy's code failed; it is off until a named human resumes it",
    "NOTHING_TO_SELL": "all that is held is in sells whose outcome is not known yet",
    "EXIT_WORKING": "an exit for the position already works",
    "SIZE_NOTHING": "what is left of the size is below the smallest order, or there is no equity",
    "SIZE_NOT_READY": "what the size is taken from (bars, days, a covariance) is not there or is no "
    "ground for one",
    "STOP_SIDE": "the stop is not below the price: it would be hit at once",
}

ORDERS: dict[str, str] = {
    "entry_signal": "the strategy's entry signal",
    "stop_loss": "the low of the last bar or the bid is at or below the position's stop",
    "trailing_stop": "the same of the stop that was ratcheted up behind the highest price",
    "take_profit": "the high of the last bar or the bid is at or above the position's target",
    "max_hold": "the position was held for as long as its strategy holds one",
    "exit_signal": "the strategy's exit level holds",
}

"""Keys as other bots call them, and what stands here instead.

Lives here: the table that hints of unknown keys use and the documents show. Must not live here:
words inside rules (see `rules_vocabulary`).
"""

from __future__ import annotations

# Key of another program, as it is written there -> what to write here.
FOREIGN: dict[str, str] = {
    "pair_whitelist": "universe.tiers.core.pairs",
    "whitelist": "universe.tiers.core.pairs",
    "symbols": "universe.tiers.core.pairs, or a strategy's instruments",
    "markets": "universe.tiers.core.pairs, or a strategy's instruments",
    "pair_blacklist": "universe.deny",
    "blacklist": "universe.deny",
    "pairlists": "universe.tiers: pairs, filters, take and rank_by",
    "stake_currency": "app.quote",
    "base_currency": "app.quote",
    "stake_amount": "size.equity_share, a share of equity; an amount is size.method: fixed with "
    "size.notional",
    "order_size": "size.equity_share, a share of equity; an amount is size.method: fixed with "
    "size.notional",
    "share": "size.equity_share",
    "position_size": "size.equity_share of a strategy, or policy.limits.position",
    "tradable_balance_ratio": "app.capital",
    "available_capital": "app.capital",
    "dry_run": "app.mode: paper",
    "paper_trading": "app.mode: paper",
    "sandbox": "app.mode: testnet",
    "dry_run_wallet": "app.paper.starting_balance",
    "initial_capital": "app.paper.starting_balance",
    "max_open_trades": "policy.limits.positions_max, or a strategy's budget.positions_max",
    "max_positions": "policy.limits.positions_max, or a strategy's budget.positions_max",
    "stoploss": "a strategy's stop: 5%, or a rule such as 3 * atr(14)",
    "stop_pct": "a strategy's stop: 5%",
    "minimal_roi": "a strategy's target and max_hold",
    "take_profit": "a strategy's target: 10%, or a rule",
    "trailing_stop": "a strategy's trail: 4%, or a rule",
    "trailing": "a strategy's trail: 4%, or a rule",
    "exit_after_time": "a strategy's max_hold, such as 3d",
    "buy": "a strategy's enter",
    "entry": "a strategy's enter",
    "long_entry": "a strategy's enter",
    "sell": "a strategy's exit",
    "long_exit": "a strategy's exit",
    "interval": "timeframe",
    "period": "timeframe",
    "tick_interval": "timeframe",
    "max_drawdown": "policy.limits.drawdown_max",
    "daily_loss_limit": "policy.limits.day_stop",
    "max_daily_loss": "policy.limits.day_stop",
    "position_adjustment_enable": "pyramiding, of a strategy and of policy.limits",
    "dca": "pyramiding, of a strategy and of policy.limits",
    "leverage": "nothing: only spot is traded, without credit",
    "margin_mode": "nothing: only spot is traded, without credit",
    "trading_mode": "nothing: only spot is traded, without credit",
    "can_short": "nothing: only what is held is sold",
    "short": "nothing: only what is held is sold",
    "short_entry": "nothing: only what is held is sold",
    "enter_short": "nothing: only what is held is sold",
    "exit_short": "nothing: only what is held is sold",
    "enter_long": "a strategy's enter",
    "exit_long": "a strategy's exit",
}
_BARE = {word.replace("_", ""): instead for word, instead in FOREIGN.items()}
# Keys that stood elsewhere in earlier versions of this program.
MOVED: dict[str, str] = {
    "universe.instruments": "list them under tiers.core.pairs",
}


def what_instead(dotted: str) -> str:
    """What to write instead of a key of another program or an earlier version; "" when unknown."""
    if dotted in MOVED:
        return MOVED[dotted]
    word = dotted.rpartition(".")[2].lower().replace("_", "").replace("-", "")
    return f"here it is {_BARE[word]}" if word in _BARE else ""

"""Each rule between keys with a bad and a good example: what stands in the files -> what is said.

Lives here: the whole table, for the tests and for `scripts/prove/policy_errors.py`. The files that
an example does not name are those of `good_policy`.
"""

from __future__ import annotations

from .incoherent_calendar import OF_CALENDAR
from .incoherent_entries import OF_ENTRIES
from .incoherent_exits import OF_EXITS, OF_SWEEPS
from .incoherent_kinds import TIERS, Example, mild, of_file
from .incoherent_limits import OF_LIMITS
from .incoherent_orders import OF_ORDERS
from .incoherent_sizes import OF_SIZES
from .incoherent_universe import OF_UNIVERSE

OF_APP = (
    of_file(
        "BASE_URL_LIVE",
        "app",
        2,
        "mode live",
        "mode: live\nexchange: {base_url: 'http://127.0.0.1:80'}\n",
        "mode: testnet\nexchange: {base_url: 'http://127.0.0.1:80'}\n",
    ),
    of_file(
        "DEADLINE_ORDER",
        "app",
        1,
        "settle_ms 9000 is not below cycle.deadline_ms 9000",
        "cycle: {settle_ms: 9000, deadline_ms: 9000}\n",
        "cycle: {settle_ms: 8999, deadline_ms: 9000}\n",
    ),
    of_file(
        "GRACE_TOO_SHORT",
        "app",
        1,
        "write 10000 or more",
        "exchange: {unknown_grace_ms: 9999}\n",
        "exchange: {unknown_grace_ms: 10000}\n",
    ),
    of_file(
        "CREDENTIALS_SHARED",
        "app",
        1,
        "testnet.key_env",
        "exchange: {credentials: {live: {key_env: TRADER_TESTNET_KEY}}}\n",
        "exchange: {credentials: {live: {key_env: TRADER_OTHER_KEY}}}\n",
    ),
    of_file(
        "CREDENTIAL_TWO_PLACES",
        "app",
        1,
        "keep one",
        "exchange: {credentials: {live: {key_env: A, key_file: /run/key}}}\n",
        "exchange: {credentials: {live: {key_env: '', key_file: /run/key}}}\n",
    ),
    of_file(
        "CAPITAL_CAP",
        "app",
        1,
        "above cash_max 5000",
        "capital: 5001\ncash_max: 5000\npaper: {starting_balance: 5000}\n",
        "capital: 5000\ncash_max: 5000\npaper: {starting_balance: 5000}\n",
    ),
    Example(
        "TIMEFRAME_MULTIPLE",
        "strategies.yaml:2",
        "15m is not a whole number of decision bars of 1h",
        {"app": "timeframe: 1h\n", "strategies": "cross:\n  timeframe: 15m\n"},
        {"app": "timeframe: 15m\n", "strategies": "cross:\n  timeframe: 1h\n"},
    ),
    of_file(
        "REFRESH_STEP",
        "universe",
        3,
        "refresh 90m",
        TIERS + "refresh: 90m\n",
        TIERS + "refresh: 2h\n",
    ),
)

OF_STRATEGIES = (
    Example(
        "PRESET_UNKNOWN",
        "strategies.yaml:1",
        "did you mean slow",
        {"strategies": "cross: {preset: slw}\n", "signals": "presets: {slow: {fast: 30}}\n"},
        {"strategies": "cross: {preset: slow}\n", "signals": "presets: {slow: {fast: 30}}\n"},
    ),
    mild(
        of_file(
            "NOTHING_ENABLED",
            "strategies",
            1,
            "nothing will be bought",
            "cross: {enabled: false}\nother: {file: cross.py, shadow: true}\n",
            "cross: {enabled: false}\nother: {file: cross.py, shadow: false}\n",
        )
    ),
    of_file(
        "WARMUP_WINDOW",
        "strategies",
        1,
        "needs 769 bars of 1w (512 of warm-up beside the anchor block); 428 can be read",
        "dip: {enter: 'close < sma(close, 500)', stop: 5%, timeframe: 1w, ttl_bars: 1}\n",
        "dip: {enter: 'close < sma(close, 100)', stop: 5%, timeframe: 1w, ttl_bars: 1}\n",
    ),
    Example(
        "HOLD_SHORT",
        "strategies.yaml:1",
        "max_hold 1m is shorter than a decision bar of 5m",
        {"app": "timeframe: 5m\n", "strategies": "cross: {max_hold: 1m}\n"},
        {"app": "timeframe: 1m\n", "strategies": "cross: {max_hold: 1m}\n"},
    ),
    Example(
        "NEVER_TRADES",
        "strategies.yaml:1",
        "no regime opens tier core",
        {
            "universe": TIERS + "  event: {pairs: [SOL/USDT]}\n"
            "regime: {states: {calm: {tiers: [event], risk: 100%}}}\n",
            "strategies": "cross: {tier: core}\n",
        },
        {
            "universe": TIERS + "  event: {pairs: [SOL/USDT]}\n"
            "regime: {states: {calm: {tiers: [core, event], risk: 100%}}}\n",
            "strategies": "cross: {tier: core}\n",
        },
    ),
    Example(
        "NEVER_TRADES",
        "strategies.yaml:1",
        "policy.limits.positions_max is 0",
        {"policy": "limits: {positions_max: 0}\n"},
        {"policy": "limits: {positions_max: 1}\n"},
    ),
    of_file(
        "NEVER_TRADES",
        "strategies",
        1,
        "one stop loses 1.5% of equity, above budget.loss 1%",
        "dip: {enter: close < open, stop: 30%, budget: {loss: 1%, positions_max: 1}}\n",
        "dip: {enter: close < open, stop: 20%, budget: {loss: 1%, positions_max: 1}}\n",
    ),
    # 200.19 x 5 % = 10.0095, less the fee of 0.1 % is 9.99; 200.20 x 5 % = 10.01 leaves 10.
    Example(
        "NEVER_TRADES",
        "strategies.yaml:1",
        "gives orders of 9.99, below policy.limits.order_notional_min 10",
        {"app": "capital: 200.19\n"},
        {"app": "capital: 200.20\n"},
    ),
)

EXAMPLES = (
    *OF_APP,
    *OF_CALENDAR,
    *OF_ENTRIES,
    *OF_EXITS,
    *OF_SWEEPS,
    *OF_LIMITS,
    *OF_ORDERS,
    *OF_UNIVERSE,
    *OF_STRATEGIES,
    *OF_SIZES,
)

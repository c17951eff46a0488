"""Made values that the tests of the core share: one instrument, one account, one strategy.

The instrument's tick is 0.01, its lot 0.001 and the cash unit 1e-8: one tick x lot is 1,000 cash
units, one lot is 100,000 base units, and the fee is 1,000 ppm. Prices and cash stay easy to work
out by hand: 10,000 ticks x 100 lots = 10 USDT = 1,000,000,000 cash units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trader.core.fold import fold
from trader.core.limits import Limits
from trader.core.parameters import Parameters, SizeSpec, StrategyCode, StrategySpec
from trader.core.series import Series, build_series
from trader.core.snapshot import CoreQuote, Snapshot
from trader.core.state import State, instrument_row
from trader.domain.instrument import Instrument

BTC, ETH = "BTC/USDT", "ETH/USDT"
MINUTE_MS = 60_000
BAR_MS = 1_000_000 * MINUTE_MS  # a decision bar; a multiple of the anchor block of 10 bars
NOW_MS = BAR_MS + MINUTE_MS + 5_000
UNIT = 10**8  # cash units in one USDT
TICK = Decimal("0.01")

LIMITS = Limits(
    slippage_ppm=1_000,
    exit_slippage_ppm=5_000,
    collar_ppm=30_000,
    position_ppm=250_000,
    positions_max=3,
    order_notional_min="10",
    quote_age_ms_max=10_000,
    missing_ppm_max=100_000,
    bar_jump_ppm_max=200_000,
    exposure_ppm_max=2_000_000,
    loss_ppm_max=2_000_000,
    asset_ppm_max=2_000_000,
    pending_ppm_max=2_000_000,
)
RULES: Mapping[str, Any] = {
    "tick": "0.01",
    "lot": "0.001",
    "qty_min": "0.002",
    "qty_max": "9000",
    "notional_min": "5",
    "fee_taker": "0.001",
    "fee_maker": "0.0005",
}


def instrument(symbol: str = BTC, *, active: bool = True, **rules: str) -> Instrument:
    """An instrument with these rules changed."""
    base, quote = symbol.split("/")
    exact = {name: Decimal(value) for name, value in {**RULES, **rules}.items()}
    return Instrument(symbol=symbol, base=base, quote=quote, active=active, **exact)


def account(capital: int = 1_000 * UNIT, *listed: Instrument) -> State:
    """A state with its genesis and instruments (both of the usual ones by default)."""
    state = State()
    genesis = {
        "account": "main",
        "mode": "paper",
        "prefix": "abcdef",
        "quote": "USDT",
        "cash_digits": 8,
        "capital": "",
        "capital_units": capital,
    }
    fold(state, "genesis", genesis)
    for one in listed or (instrument(BTC), instrument(ETH)):
        fold(state, "instrument", instrument_row(one))
    return state


def strategy(
    name: str = "one", *symbols: str, share: int = 100_000, **changed: Any
) -> StrategySpec:
    """A strategy of minute bars on these instruments (BTC by default), `share` ppm of equity."""
    spec = StrategySpec(
        name=name,
        source=f"{name}.py",
        source_sha="0" * 64,
        symbols=symbols or (BTC,),
        timeframe="1m",
        timeframe_ms=MINUTE_MS,
        numbers={},
        ttl_bars=1,
        enabled=True,
        budget_exposure_ppm=2_000_000,
        budget_loss_ppm=2_000_000,
        size=SizeSpec(share_ppm=share),
    )
    return replace(spec, **changed)


def parameters(*strategies: StrategySpec, **limits: Any) -> Parameters:
    """Parameters with these strategies (one by default) and these limits changed."""
    return Parameters(
        account="main",
        mode="paper",
        prefix="abcdef",
        quote="USDT",
        step_ms=MINUTE_MS,
        anchor_bars=10,
        capital="",
        cash_max="1000000",
        limits=replace(LIMITS, **limits),
        strategies=strategies or (strategy(),),
        venue="binance",
    )


def says(
    enter: int = 1, leave: int = 0, stop: float = 1.0, strength: float | None = None
) -> StrategyCode:
    """A strategy that says this on its newest bar and nothing before."""

    def signals(bars: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        before = len(bars) - 1
        columns: dict[str, list[Any]] = {
            "enter": [0] * before + [enter],
            "exit": [0] * before + [leave],
            "stop": [stop] * len(bars),
        }
        if strength is not None:
            columns["strength"] = [strength] * len(bars)
        return columns

    return StrategyCode(lambda _: 1, signals)


def bars(
    closes: Sequence[int], symbol: str = BTC, last_ms: int = BAR_MS, lows: Sequence[int] = ()
) -> Series:
    """Minute bars with these closes in ticks, the last of them opening at `last_ms`."""
    first_ms = last_ms - (len(closes) - 1) * MINUTE_MS
    rows = [
        (first_ms + i * MINUTE_MS, close, close, lows[i] if lows else close, close, 1.0)
        for i, close in enumerate(closes)
    ]
    return build_series(symbol, MINUTE_MS, TICK, rows)


def quote(bid: int = 9_999, ask: int = 10_001, at_ms: int = NOW_MS - 1_000) -> CoreQuote:
    """A quote in ticks."""
    return CoreQuote(bid, ask, -1, -1, at_ms)


def snapshot(state: State, policy: Parameters | None = None, **changed: Any) -> Snapshot:
    """A snapshot in which one strategy wants to enter BTC at 100.00 (10,000 ticks)."""
    policy = policy or parameters()
    given: dict[str, Any] = {
        "bar_ms": BAR_MS,
        "now_ms": NOW_MS,
        "state": state,
        "parameters": policy,
        "strategies": {spec.name: says() for spec in policy.strategies},
        "series": {
            (symbol, "1m"): bars([10_000, 10_000], symbol)
            for symbol in sorted({*policy.symbols, *state.positions})
        },
        "quotes": {symbol: quote() for symbol in (BTC, ETH)},
        **changed,
    }
    return Snapshot(**given)


def order_row(client_id: str = "a" * 32, **changed: Any) -> dict[str, Any]:
    """A planned order: buy 100 lots at 10,000 ticks."""
    return {
        "client_id": client_id,
        "strategy": "one",
        "symbol": BTC,
        "side": "buy",
        "tif": "ioc",
        "bar_ms": BAR_MS - MINUTE_MS,
        "leg": 0,
        "attempt": 0,
        "price_ticks": 10_000,
        "qty_lots": 100,
        "stop_ticks": 9_900,
        "target_ticks": 0,
        "trail_ticks": 0,
        "hold_ms": 0,
        "arm_ticks": 0,
        "even_ticks": 0,
        "steps": "",
        "order_type": "limit",
        "trigger_ticks": 0,
        "until_ms": 0,
        "signal_ms": BAR_MS - MINUTE_MS,
        "reason": "entry_signal",
        **changed,
    }


def fill_row(client_id: str = "a" * 32, trade_id: str = "1", **changed: Any) -> dict[str, Any]:
    """A fill: 100 lots at 10,000 ticks = 10 USDT, without a fee."""
    return {
        "client_id": client_id,
        "symbol": BTC,
        "trade_id": trade_id,
        "side": "buy",
        "price_ticks": 10_000,
        "qty_lots": 100,
        "cost_units": 10 * UNIT,
        "fee_cash_units": 0,
        "fee_base_units": 0,
        "fee_asset": "",
        "fee": "",
        "maker": 0,
        "at_ms": BAR_MS,
        **changed,
    }


def sent(state: State, row: Mapping[str, Any], *, outcome: str = "accepted") -> None:
    """Plan and send an order; `outcome` "" leaves it unanswered."""
    client_id = row["client_id"]
    fold(state, "order_planned", dict(row))
    fold(state, "order_sent", {"client_id": client_id, "at_ms": BAR_MS})
    if outcome:
        answer = {"client_id": client_id, "at_ms": BAR_MS, "outcome": outcome, "code": ""}
        fold(state, "order_outcome", {**answer, "text": "", "venue_id": f"v{client_id[:4]}"})


def hold(state: State, symbol: str = BTC, lots: int = 100, name: str = "one", **row: Any) -> None:
    """Buy `lots` at 10,000 ticks without a fee and let the order be filled."""
    client_id = f"hold{symbol.partition('/')[0].lower()}".ljust(32, "0")
    order = {"symbol": symbol, "strategy": name, "qty_lots": lots, "signal_ms": 1, **row}
    sent(state, order_row(client_id, **order))
    bought = {"symbol": symbol, "qty_lots": lots, "cost_units": lots * 10_000 * 1_000}
    fold(state, "fill", fill_row(client_id, f"hold-{symbol}", **bought))

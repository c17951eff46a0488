"""What people choose about the venue, in a whole run: sentences, finer bars, coins, other costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from trader.app.backtest import run_backtest
from trader.app.backtest_inputs import BacktestInputs, BacktestOptions, build_inputs, cost_variants
from trader.app.backtest_model import ModelOptions, Tier
from trader.app.buy_and_hold import buy_and_hold
from trader.bars.bar_file import BarFile
from trader.core.model import CLOSE, FeeCoin, Slippage, VolumeCap
from trader.core.strategy import load_strategy
from trader.errors import DataError, UsageError

from .test_backtest import MINUTE_MS, RULES, SOURCE, START_MS, TABLE, bar_file, parameters

CASH = Decimal(1000)
FREE = ModelOptions(spread_ppm=0)
Rows = list[tuple[str, ...]]
# Five minutes that the first and the second long bar of FIVE are made of.
FIVE: Rows = [("100.00", "104.00", "98.00", "102.00"), ("102.00", "103.00", "101.00", "103.00")] * 3
ONE: Rows = [
    ("100.00", "101.00", "99.00", "100.00"),
    ("100.00", "104.00", "100.00", "104.00"),
    ("104.00", "104.00", "98.00", "99.00"),
    ("99.00", "102.00", "99.00", "102.00"),
    ("102.00", "102.00", "101.00", "102.00"),
    *[("102.00", "103.00", "101.00", "103.00")] * 5,
] * 3


SAID = """
a decision at a bar's close arrives 2 bars later, at the open; so do cancels, for 5% of what the
bar traded at most; the rest is tried again at the next 3 opens, while its limit covers it; without
a bar there, or volume in it, nothing fills

3.5 bps between bid and ask, or 2% of the last bar's range where that is more; slippage beyond it:
1 bps + 50% of the spread + 50 bps times the square root of the order's share of the volume

fees in bps by the turnover of the last 30 days: from 0 USDT: 10 taker, 8 maker; from 5000 USDT: 5
taker, 0 maker

fees are paid in BNB, bought for cash at each fill at its given price

a protective stop rests at the venue and sells when its trigger trades, at the bid there; a bar that
opens beyond it sells at the open

a position left at the end is sold at its last close, with costs; one whose own bars end before is
valued at its last close
"""


def inputs_of(
    folder: Path,
    model: ModelOptions,
    rows: Rows | None = None,
    *,
    more: dict[str, BarFile] | None = None,
    details: dict[str, BarFile] | None = None,
    step: int = 1,
) -> BacktestInputs:
    """Inputs of the hand-made strategy, which enters in minute 1 and leaves in minute 3."""
    text = SOURCE.format(start=START_MS, enter={1}, leave={3})
    code, _ = load_strategy("hand", text)
    name = f"BTC_USDT-{step}m.csv"
    file = bar_file(folder, rows or TABLE, name, step)
    files = {file.symbol: file, **(more or {})}
    options = BacktestOptions(CASH, model=model)
    given = parameters(f"{step}m")
    rules = {RULES.symbol: RULES}
    return build_inputs(given, {"hand": code}, files, options, rules, details)


def test_the_first_lines_say_each_assumption_with_its_number(tmp_path: Path) -> None:
    model = ModelOptions(
        spread_ppm=350,
        spread_range_ppm=20_000,
        slippage=Slippage(100, 500_000, 5_000),
        volume=VolumeCap(50_000, 3),
        latency_bars=2,
        tiers=(
            Tier(Decimal(0), Decimal("0.001"), Decimal("0.0008")),
            Tier(Decimal(5000), Decimal("0.0005"), Decimal(0)),
        ),
        fee_in="BNB",
        coin_price=Decimal(600),
        venue_stops=True,
        at_end=CLOSE,
    )
    said = inputs_of(tmp_path, model).assumed
    assert [" ".join(line.split()) for line in SAID.strip().split("\n\n")] == list(said)


def test_the_dearest_tier_is_what_sizes_count_with(tmp_path: Path) -> None:
    tiers = (
        Tier(Decimal(0), Decimal("0.001"), Decimal("0.0008")),
        Tier(Decimal(90), Decimal("0.0002"), Decimal("0.0009")),
    )
    inputs = inputs_of(tmp_path, replace(FREE, tiers=tiers))
    (one,) = inputs.instruments
    assert (one.fee_taker, one.fee_maker) == (Decimal("0.001"), Decimal("0.0009"))
    (trip,) = run_backtest(inputs).closed
    # Bought for 97.002 at 10 bps, which reaches 90: sold for 104.61 (0.951 x 110) at 2 bps.
    assert trip.fee_units * inputs.cash_unit == Decimal("0.097002") + Decimal("0.020922")


def test_a_third_coin_needs_a_price_and_its_bars_are_not_traded(tmp_path: Path) -> None:
    model = replace(FREE, fee_in="BNB")
    with pytest.raises(UsageError, match="fees in BNB need its price; give bars of BNB/USDT"):
        inputs_of(tmp_path, model)
    with pytest.raises(UsageError, match="USDT is the account's own currency"):
        inputs_of(tmp_path, replace(FREE, fee_in="USDT"))
    rows: Rows = [("500.00", "500.00", "500.00", "500.00")] * len(TABLE)
    coin = bar_file(tmp_path, rows, "BNB_USDT-1m.csv")
    inputs = inputs_of(tmp_path, model, more={"BNB/USDT": coin})
    assert inputs.model.fees.coin == FeeCoin("BNB", 0, "BNB/USDT")
    assert inputs.parameters.strategies[0].symbols == ("BTC/USDT",)
    result = run_backtest(inputs)
    # 0.097002 / 500 and 0.10461 / 500, each rounded up to 1e-8
    assert result.state.other_fees == {"BNB": str(Decimal("0.00019401") + Decimal("0.00020922"))}


def test_finer_bars_of_the_same_file_are_taken_by_name(tmp_path: Path) -> None:
    text = SOURCE.format(start=START_MS, enter={0}, leave=set[int]())
    code, _ = load_strategy("hand", text)
    file = bar_file(tmp_path, ONE)
    given = replace(parameters("5m"), step_ms=300_000)
    options = BacktestOptions(CASH, model=replace(FREE, detail="1m"))
    inputs = build_inputs(given, {"hand": code}, {file.symbol: file}, options)
    assert inputs.model.detail == "1m"
    assert len(inputs.series["BTC/USDT", "1m"]) == len(ONE)
    assert len(inputs.series["BTC/USDT", "5m"]) == len(ONE) // 5
    assert "1m bars tell in which order orders at rest were met" in inputs.assumed


def test_finer_bars_of_another_file_must_not_contradict_it(tmp_path: Path) -> None:
    good = bar_file(tmp_path, ONE, "detail.csv=BTC_USDT-1m.csv".partition("=")[2])
    inputs = inputs_of(tmp_path, FREE, FIVE, details={"BTC/USDT": good}, step=5)
    assert inputs.model.detail == "1m"
    bad_rows = [*ONE[:7], ("102.00", "103.01", "101.00", "103.00"), *ONE[8:]]
    bad = bar_file(tmp_path, bad_rows)
    with pytest.raises(DataError, match="lies outside the longer bar"):
        inputs_of(tmp_path, FREE, FIVE, details={"BTC/USDT": bad}, step=5)


def test_finer_bars_of_some_bars_are_counted_and_of_none_refused(tmp_path: Path) -> None:
    some = bar_file(tmp_path, ONE[:10])
    inputs = inputs_of(tmp_path, FREE, FIVE, details={"BTC/USDT": some}, step=5)
    assert any(line.startswith("BTC/USDT: 1m bars for 2 of 6 bars; ") for line in inputs.assumed)
    later = replace(some, series=some.series.slice(0, 0))
    with pytest.raises(DataError, match="none of its bars lies inside the bars of BTC/USDT"):
        inputs_of(tmp_path, FREE, FIVE, details={"BTC/USDT": later}, step=5)


WRONG_DETAIL = [
    (replace(FREE, detail="7m"), "--timeframe-detail '7m' is not known"),
    (replace(FREE, detail="5m"), "are no finer part of the decision bars"),
    (replace(FREE, detail="1h"), "are no finer part of the decision bars"),
]


@pytest.mark.parametrize(("model", "why"), WRONG_DETAIL)
def test_a_detail_that_is_none_is_refused(tmp_path: Path, model: ModelOptions, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        inputs_of(tmp_path, model, FIVE, step=5)


def test_a_pair_without_finer_bars_is_named(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, replace(FREE, detail="1m"), FIVE, step=5)
    assert inputs.model.detail == ""
    assert any(line.startswith("no 1m bars of BTC/USDT: ") for line in inputs.assumed)


def test_a_share_of_no_volume_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "BTC_USDT-1m.csv"
    inputs_of(tmp_path, FREE)
    rows = [line.rpartition(",")[0] + ",0" for line in path.read_text().splitlines()[1:]]
    path.write_text("\n".join(["timestamp_ms,open,high,low,close,volume", *rows, ""]))
    from trader.bars.load import load_bars

    dry = load_bars(path, tick=Decimal("0.01"))
    code, _ = load_strategy("hand", SOURCE.format(start=START_MS, enter={1}, leave={3}))
    options = BacktestOptions(CASH, model=replace(FREE, volume=VolumeCap(10_000)))
    with pytest.raises(DataError, match="tells a volume"):
        build_inputs(parameters(), {"hand": code}, {dry.symbol: dry}, options)


def test_no_cost_and_double_cost_are_whole_runs_of_their_own(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, ModelOptions(spread_ppm=2_000, slippage=Slippage(500)))
    results = {"as": run_backtest(inputs)}
    results |= {name: run_backtest(given) for name, given in cost_variants(inputs).items()}
    trips = {name: result.closed[0] for name, result in results.items()}
    # 102.00 and 110.00 at 0, 1,500 and 3,000 ppm away
    assert [trips[name].first_ticks for name in ("zero", "as", "double")] == [
        10_200,
        10_216,
        10_231,
    ]
    assert [trips[name].last_ticks for name in ("zero", "as", "double")] == [11_000, 10_983, 10_967]
    assert trips["zero"].fee_units == 0
    fees = {name: result.inputs.instruments[0].fee_taker for name, result in results.items()}
    assert fees == {"as": Decimal("0.001"), "zero": 0, "double": Decimal("0.002")}


def test_what_the_end_closes_counts_in_the_last_equity(tmp_path: Path) -> None:
    held = [*TABLE[:3], ("103.00", "104.00", "102.00", "104.00")]
    marked = run_backtest(inputs_of(tmp_path, FREE, held))
    closed = run_backtest(inputs_of(tmp_path, replace(FREE, at_end=CLOSE), held))
    unit = marked.inputs.cash_unit
    assert (len(marked.open), len(closed.open)) == (1, 0)
    # 0.951 x 104 = 98.904, of which 10 bps are the sale's fee
    assert (marked.curve_units[-1] - closed.curve_units[-1]) * unit == Decimal("0.098904")
    assert closed.closed[0].exit_reason == "end_of_data"
    assert closed.curve_units[-1] == closed.state.cash_units


def test_buying_and_holding_by_hand(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, FREE)
    result = run_backtest(inputs)
    found = buy_and_hold(inputs, result.curve_ms)
    (held,) = found.held
    unit = inputs.cash_unit
    # 9.990 at 100.00 and 10 bps are 999.999; the last close is 110.00.
    assert (held.lots, held.price_ticks, held.paid_units * unit) == (
        9_990,
        10_000,
        Decimal("999.999"),
    )
    assert found.final_units * unit == Decimal("1098.901")
    curve = [units * unit for units in found.curve_units]
    # Bought at the open of bar 1: nothing has moved at its close.
    assert [str(value.normalize()) for value in curve[:3]] == ["999.001", "999.001", "1028.971"]
    assert curve[-1] == Decimal("1098.901")


def test_buying_and_holding_pays_the_model_s_costs_and_its_end(tmp_path: Path) -> None:
    model = ModelOptions(spread_ppm=2_000, fee_in="base", at_end=CLOSE)
    inputs = inputs_of(tmp_path, model)
    (held,) = buy_and_hold(inputs, []).held
    # 100.10 with the half spread; 9.980 are 998.998 and 0.00998 of them the fee
    assert (held.price_ticks, held.lots) == (10_010, 9_980)
    assert held.qty_units == 997_002_000
    # 9.970 are sold at 109.89 less 10 bps; 0.00002 stay, at 110.00
    value = Decimal("9.970") * Decimal("109.89") * Decimal("0.999") + Decimal("0.0022")
    assert abs(held.value_units * inputs.cash_unit - value) <= 2 * inputs.cash_unit


def test_buying_and_holding_two_gives_each_half(tmp_path: Path) -> None:
    other = bar_file(tmp_path, TABLE, "ETH_USDT-1m.csv")
    inputs = inputs_of(tmp_path, FREE, more={"ETH/USDT": other})
    found = buy_and_hold(inputs, [])
    assert [held.symbol for held in found.held] == ["BTC/USDT", "ETH/USDT"]
    assert all(held.paid_units * inputs.cash_unit <= 500 for held in found.held)


def test_buying_and_holding_waits_for_a_bar_and_for_cash(tmp_path: Path) -> None:
    inputs = inputs_of(tmp_path, replace(FREE, latency_bars=2))
    (late,) = buy_and_hold(inputs, []).held
    # Two opens after the close of bar 0: 102.00
    assert (late.price_ticks, late.bought_ms) == (10_200, START_MS + 2 * MINUTE_MS)
    poor = buy_and_hold(replace(inputs, cash=Decimal("0.05")), [START_MS + 5 * MINUTE_MS])
    assert poor.held[0].lots == 0
    assert poor.final_units == poor.curve_units[0] > 0
    short = replace(inputs, end_ms=START_MS + 2 * MINUTE_MS)
    assert buy_and_hold(short, []).held[0].bought_ms == -1


def test_buying_and_holding_gives_way_to_an_impact(tmp_path: Path) -> None:
    model = ModelOptions(spread_ppm=0, slippage=Slippage(impact_ppm=10_000))
    (held,) = buy_and_hold(inputs_of(tmp_path, model), []).held
    # 5 are traded in a bar: the root of 9.990 / 5 is 1.4135, 14,136 ppm up; 9.850 fit that price,
    # whose own impact is a little less
    assert held.lots == 9_850
    assert held.price_ticks == 10_141
    assert held.paid_units * Decimal("0.00000001") <= CASH

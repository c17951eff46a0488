"""The back-test on bars whose result was worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.app.backtest import FAST, REFERENCE, BacktestResult, run_backtest
from trader.app.backtest_inputs import BacktestOptions, build_inputs
from trader.app.backtest_report import build_report, rounded
from trader.app.report_rows import opinion, utc_text
from trader.bars.bar_file import BarFile
from trader.bars.load import load_bars
from trader.core.identity import owner_prefix
from trader.core.limits import Home, Limits
from trader.core.parameters import Parameters, SizeSpec, StrategyCode, StrategySpec
from trader.core.strategy import load_strategy
from trader.domain.instrument import Instrument
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.errors import DataError, UsageError

START_MS = 1_700_006_400_000
MINUTE_MS = 60_000
LIMITS = Limits(
    slippage_ppm=50_000,
    exit_slippage_ppm=100_000,
    collar_ppm=200_000,
    position_ppm=500_000,
    positions_max=5,
    order_notional_min="1",
    quote_age_ms_max=10_000,
    missing_ppm_max=900_000,
    bar_jump_ppm_max=500_000,
)
SOURCE = """
PARAMETERS = {{"stop": 8.0}}
def warmup(p):
    return 0
def signals(bars, p):
    minutes = [(at - {start}) // 60000 for at in bars.open_ms]
    return {{
        "enter": [m in {enter} for m in minutes],
        "exit": [m in {leave} for m in minutes],
        "stop": [p["stop"]] * len(minutes),
    }}
"""
RULES = Instrument(
    "BTC/USDT", "BTC", "USDT", Decimal("0.01"), Decimal("0.001"), Decimal("0.001"),
    Decimal(0), Decimal(5), Decimal("0.001"), Decimal("0.001"),
)  # fmt: skip
# open, high, low, close; the orders that the decision at this bar's close makes
TABLE = [
    ("100.00", "100.00", "100.00", "100.00"),
    ("100.00", "101.00", "99.00", "100.00"),  # enter: 10 % of 1000 at no more than 105.00
    ("102.00", "103.00", "101.00", "103.00"),  # filled at this open
    ("103.00", "109.00", "103.00", "108.00"),  # leave
    ("110.00", "111.00", "110.00", "110.00"),  # filled at this open
    ("110.00", "110.00", "110.00", "110.00"),
]


def bar_file(
    folder: Path, rows: list[tuple[str, ...]], name: str = "BTC_USDT-1m.csv", step: int = 1
) -> BarFile:
    lines = ["timestamp_ms,open,high,low,close,volume"]
    for index, row in enumerate(rows):
        lines.append(f"{START_MS + index * step * MINUTE_MS},{','.join(row)},5")
    path = folder / name
    path.write_text("\n".join([*lines, ""]))
    return load_bars(path, tick=Decimal("0.01"))


def parameters(timeframe: str = "1m", symbols: tuple[str, ...] = ("BTC/USDT",)) -> Parameters:
    spec = StrategySpec(
        "hand", "hand.py", "0" * 64, symbols, timeframe, TIMEFRAMES_MS[timeframe],
        {"stop": 8.0}, 1, True, size=SizeSpec(share_ppm=100_000),
    )  # fmt: skip
    prefix = owner_prefix("a", "paper")
    return Parameters(
        "a", "paper", prefix, "USDT", MINUTE_MS, 4, "", "1000000", LIMITS, (spec,), venue="binance"
    )


def run(
    folder: Path,
    rows: list[tuple[str, ...]],
    enter: set[int],
    leave: set[int],
    options: BacktestOptions | None = None,
    rules: Instrument = RULES,
    engine: str = FAST,
) -> BacktestResult:
    code, _ = load_strategy("hand", SOURCE.format(start=START_MS, enter=enter, leave=leave))
    file = bar_file(folder, rows)
    given = options or BacktestOptions(Decimal(1000), spread_ppm=0)
    inputs = build_inputs(
        parameters(), {"hand": code}, {file.symbol: file}, given, {rules.symbol: rules}
    )
    return run_backtest(inputs, engine=engine)


def test_a_round_trip_comes_out_as_worked_by_hand(tmp_path: Path) -> None:
    result = run(tmp_path, TABLE, {1}, {3})
    # 951 lots: 0.951 x 105.00 with fee is 99.954855; 952 lots would be 100.05996, above 100.
    (trip,) = result.closed
    assert (trip.bought_lots, trip.sold_lots, trip.fills) == (951, 951, 2)
    unit = result.inputs.cash_unit
    assert trip.cost_units * unit == Decimal("97.099002")  # 0.951 x 102.00 + 10 bps
    assert trip.proceeds_units * unit == Decimal("104.50539")  # 0.951 x 110.00 - 10 bps
    assert trip.result_units * unit == Decimal("7.406388")
    assert trip.fee_units * unit == Decimal("0.201612")
    assert trip.exit_reason == "exit_signal"
    assert (trip.opened_ms, trip.closed_ms) == (START_MS + 120_000, START_MS + 240_000)
    curve = [units * unit for units in result.curve_units]
    assert curve == [
        Decimal(1000),
        Decimal(1000),
        Decimal("1000.853998"),  # 902.900998 + 0.951 x 103.00
        Decimal("1005.608998"),  # 902.900998 + 0.951 x 108.00
        Decimal("1007.406388"),
        Decimal("1007.406388"),
    ]
    assert result.sent == 2
    assert result.unfilled == 0
    assert result.turnover_units * unit == Decimal("201.612")


def test_books_agree_with_round_trips_and_equity(tmp_path: Path) -> None:
    """One round trip is closed, a second still open at the end."""
    rows = [*TABLE, *[("105.00",) * 4] * 3]
    result = run(tmp_path, rows, {1, 5}, {3})
    (book,) = build_report(result)["books"]
    (left,) = result.open
    unit = result.inputs.cash_unit
    realised = sum(trip.result_units for trip in (*result.closed, left.trip))
    assert Decimal(book["realised_result"]) == realised * unit == Decimal("7.406388")
    made = result.curve_units[-1] * unit - Decimal(1000)
    assert Decimal(book["result"]) == made
    assert Decimal(book["open_result"]) == made - Decimal("7.406388")
    assert (book["fills"], book["positions"]) == (3, ["BTC/USDT"])
    # Marked at the close after the first entry: 0.951 x 103 - 97.099002 = 0.853998 at first, at
    # best 7.406388 realised; the second entry then costs its fee and what the price fell.
    assert Decimal(book["drawdown_max"]) == Decimal("7.406388") - made


def test_a_stop_is_hit_when_a_bar_trades_through_it(tmp_path: Path) -> None:
    rows = [*TABLE[:3], ("103.00", "103.00", "91.00", "95.00"), *[("94.00",) * 4] * 2]
    result = run(tmp_path, rows, {1}, set())
    (trip,) = result.closed
    assert trip.exit_reason == "stop_loss"
    assert result.spec("BTC/USDT").price(trip.last_ticks) == Decimal(94)


def test_what_is_decided_at_the_last_bar_fills_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, TABLE[:2], {1}, set())
    assert (result.sent, result.unfilled) == (1, 1)
    assert not result.closed
    assert not result.open


def test_a_jump_beyond_the_limit_fills_nothing(tmp_path: Path) -> None:
    rows = [*TABLE[:2], ("105.01", "106.00", "105.01", "106.00"), *[("106.00",) * 4] * 2]
    result = run(tmp_path, rows, {1}, set())
    assert (result.sent, result.unfilled) == (1, 1)


def test_a_position_that_is_left_open_is_marked_not_sold(tmp_path: Path) -> None:
    result = run(tmp_path, TABLE[:4], {1}, set())
    report = build_report(result)
    (row,) = report["open_positions"]
    assert row["qty"] == "0.951"
    assert row["value"] == "102.708"  # 0.951 x 108.00
    assert row["result_open"] == "5.608998"
    assert report["account"]["final_equity"] == "1005.608998"
    assert report["round_trips"] == []


def test_the_range_bounds_decisions_not_the_history_before(tmp_path: Path) -> None:
    options = BacktestOptions(
        Decimal(1000), START_MS + MINUTE_MS, START_MS + 4 * MINUTE_MS, spread_ppm=0
    )
    result = run(tmp_path, TABLE, {1}, {3}, options)
    assert len(result.curve_ms) == 3
    assert len(result.closed) == 1


def test_an_empty_range_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no bar lies"):
        run(tmp_path, TABLE, set(), set(), BacktestOptions(Decimal(1000), 1, 2))


@pytest.mark.parametrize("engine", [FAST, REFERENCE])
def test_an_account_that_outgrows_whole_numbers_is_refused_by_name(
    tmp_path: Path, engine: str
) -> None:
    rows = [*TABLE[:3], ("103.00", "1000000000000.00", "103.00", "1000000000000.00")]
    with pytest.raises(DataError, match="more than whole numbers hold"):
        run(tmp_path, rows, {1}, set(), engine=engine)


def test_fee_and_spread_are_the_callers(tmp_path: Path) -> None:
    options = BacktestOptions(Decimal(1000), fee=Decimal(0), spread_ppm=0)
    (trip,) = run(tmp_path, TABLE, {1}, {3}, options).closed
    assert trip.fee_units == 0
    spread = BacktestOptions(Decimal(1000), fee=Decimal(0), spread_ppm=20_000)
    (wide,) = run(tmp_path, TABLE, {1}, {3}, spread).closed
    assert wide.result_units < trip.result_units


def test_progress_is_told_in_decision_bars(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    code, _ = load_strategy("hand", SOURCE.format(start=START_MS, enter=set(), leave=set()))
    file = bar_file(tmp_path, TABLE)
    inputs = build_inputs(
        parameters(), {"hand": code}, {file.symbol: file}, BacktestOptions(Decimal(1000))
    )
    run_backtest(inputs, lambda done, total: told.append((done, total)))
    assert told == [(6, 6)]


# --- what takes part ---------------------------------------------------------------------------


def inputs_of(
    tmp_path: Path, given: Parameters, options: BacktestOptions, step: int = 1, **files: str
) -> tuple[str, ...]:
    code, _ = load_strategy("hand", SOURCE.format(start=START_MS, enter=set(), leave=set()))
    loaded = [bar_file(tmp_path, TABLE, name, step) for name in files.values() or ()]
    codes = {spec.name: code for spec in given.strategies}
    found = build_inputs(given, codes, {file.symbol: file for file in loaded}, options)
    return found.assumed


CASH = BacktestOptions(Decimal(1000))


def test_every_assumption_is_named(tmp_path: Path) -> None:
    given = parameters(symbols=("BTC/USDT", "ETH/USDT"))
    said = inputs_of(tmp_path, given, CASH, a="BTC_USDT-1m.csv", b="LTC_USDT-1m.csv")
    assert said[0].startswith("LTC/USDT: named by no strategy")
    assert said[1] == "left out, because no bars were given: ETH/USDT"
    assert said[2].startswith("BTC/USDT: tick 0.01 (from the data), lot 0.000001,")
    assert "fee 10 bps" in said[2]
    assert any(line.startswith("2 bps between bid and ask;") for line in said)


def test_the_bars_decide_the_currency_and_the_decision_timeframe(tmp_path: Path) -> None:
    said = inputs_of(tmp_path, parameters("5m"), CASH, 5, a="ETH_BTC-5m.csv")
    assert said[0] == "the account is kept in BTC, not in app.quote USDT"
    assert any(line.startswith("decisions every 5m, as the bars are") for line in said)


def test_a_strategy_whose_bars_are_too_coarse_is_left_out_by_name(tmp_path: Path) -> None:
    given = parameters("5m")
    fine = replace(given.strategies[0], name="fine", timeframe="1m", timeframe_ms=MINUTE_MS)
    given = replace(given, strategies=(*given.strategies, fine))
    said = inputs_of(tmp_path, given, CASH, 5, a="BTC_USDT-5m.csv")
    assert any("strategy fine is LEFT OUT: it needs 1m bars" in line for line in said)
    asked = replace(CASH, strategies=("fine",))
    with pytest.raises(UsageError, match="strategy fine needs 1m bars, the files allow 5m"):
        inputs_of(tmp_path, given, asked, 5, a="BTC_USDT-5m.csv")


def test_a_strategy_can_be_run_on_another_timeframe(tmp_path: Path) -> None:
    asked = replace(CASH, timeframe="5m")
    said = inputs_of(tmp_path, parameters(), asked, 5, a="BTC_USDT-5m.csv")
    assert "strategy hand runs on 5m, not on its own 1m" in said


@pytest.mark.parametrize(
    ("options", "names", "says"),
    [
        (CASH, [], "at least one bar file"),
        (CASH, ["BTC_USDT-1m.csv", "ETH_BTC-1m.csv"], "settle in BTC and USDT"),
        (replace(CASH, strategies=("x",)), ["BTC_USDT-1m.csv"], "'x' is not in the policy"),
        (replace(CASH, timeframe="7m"), ["BTC_USDT-1m.csv"], "'7m' is not known"),
        (replace(CASH, cash=Decimal(10**7)), ["BTC_USDT-1m.csv"], "above app.cash_max"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, options: BacktestOptions, names: list[str], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        inputs_of(tmp_path, parameters(), options, **{name[:3]: name for name in names})


def test_a_policy_without_strategies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no strategies"):
        inputs_of(tmp_path, replace(parameters(), strategies=()), CASH, a="BTC_USDT-1m.csv")


def test_rules_of_another_tick_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"steps of 0\.01, the rules of BTC/USDT say 0\.1"):
        run(tmp_path, TABLE, set(), set(), rules=replace(RULES, tick=Decimal("0.1")))


def test_higher_timeframes_are_made_from_the_file(tmp_path: Path) -> None:
    code, _ = load_strategy("hand", SOURCE.format(start=START_MS, enter=set(), leave=set()))
    file = bar_file(tmp_path, TABLE)
    inputs = build_inputs(parameters("5m"), {"hand": code}, {file.symbol: file}, CASH)
    whole = inputs.series["BTC/USDT", "5m"]
    assert [whole.row(index)[:5] for index in range(len(whole))] == [
        (START_MS, 10_000, 11_100, 9_900, 11_000)
    ]


# --- words -------------------------------------------------------------------------------------


def test_numbers_for_people() -> None:
    assert opinion(None) is None
    assert opinion(-0.0000001) == "0.000000"
    assert opinion(1.5) == "1.500000"
    assert rounded("-1234.565") == "-1,234.56"
    assert utc_text(-1) == ""
    assert utc_text(START_MS) == "2023-11-15T00:00:00Z"


def test_rules_see_timeframes_that_are_resampled_from_the_file(tmp_path: Path) -> None:
    def node(op: str, timeframe: str, *given: Any) -> list[Any]:
        return [op, timeframe, *given]

    program = {
        "nodes": [
            node("column", "5m", [], [], "close"),
            node("on", "", [0], [], "5m"),
            node("column", "", [], [], "close"),
            node("gt", "", [2, 1], [], ""),
            node("number", "", [], ["8"], ""),
        ],
        "outputs": {"enter": 3, "stop": 4},
    }
    policy = parameters()
    spec = replace(policy.strategies[0], source="", source_sha="", program=program)
    policy = replace(policy, strategies=(spec,))
    code = StrategyCode(lambda _: 0, lambda bars, numbers: {}, program)
    closes = ["100.00"] * 5 + ["99.00"] * 2 + ["101.00"] * 5
    file = bar_file(tmp_path, [(close,) * 4 for close in closes])
    given = BacktestOptions(Decimal(1000), spread_ppm=0)
    inputs = build_inputs(policy, {"hand": code}, {file.symbol: file}, given, {})
    assert list(inputs.series[file.symbol, "5m"].open_ms) == [START_MS, START_MS + 300_000]
    (trip,) = run_backtest(inputs).open
    # Bar 7 closes at 101.00, above the 100.00 of the first five; it is filled at the next open.
    assert trip.trip.opened_ms == START_MS + 8 * MINUTE_MS
    wide = replace(policy, strategies=(replace(spec, timeframe="1h", timeframe_ms=3_600_000),))
    hourly = bar_file(tmp_path, [("100.00",) * 4] * 5, "BTC_USDT-1h.csv", 60)
    with pytest.raises(UsageError, match="hand needs 5m bars, the files allow 1h"):
        build_inputs(wide, {"hand": code}, {file.symbol: hourly}, given, {})


# 951 lots at their limit of 105.00 are 99.855 USDT, at 1.05 a EUR 95.1 EUR.
@pytest.mark.parametrize(("most", "sent"), [("95.1", 1), ("95.09999999", 0)])
def test_the_owners_currency_is_priced_by_its_own_bars(
    tmp_path: Path, most: str, sent: int
) -> None:
    result = in_euro(tmp_path, most, with_rate=True)
    assert result.sent == sent
    assert [spec.symbols for spec in result.inputs.parameters.strategies] == [("BTC/USDT",)]


def test_without_bars_of_its_rate_nothing_is_opened_and_the_report_says_so(tmp_path: Path) -> None:
    result = in_euro(tmp_path, "1000000", with_rate=False)
    assert result.sent == 0
    (told,) = [line for line in result.inputs.assumed if line.startswith("policy.home: ")]
    assert "no bars of EUR/USDT were given" in told
    assert "nothing is opened" in told


def in_euro(folder: Path, most: str, *, with_rate: bool) -> BacktestResult:
    """An entry at the first bar, on an account whose owner counts in EUR."""
    code, _ = load_strategy("hand", SOURCE.format(start=START_MS, enter={1}, leave=set[int]()))
    euro = replace(LIMITS, home=Home("EUR", "EUR/USDT", most, 60_000))
    files = [bar_file(folder, TABLE)]
    if with_rate:
        files.append(bar_file(folder, [("1.05",) * 4] * len(TABLE), "EUR_USDT-1m.csv"))
    inputs = build_inputs(
        replace(parameters(), limits=euro),
        {"hand": code},
        {file.symbol: file for file in files},
        BacktestOptions(Decimal(1000), spread_ppm=0),
        {RULES.symbol: RULES},
    )
    return run_backtest(inputs)

"""Fees and ends by table: in every coin, by tiers, and what the end of the bars closes; by hand.

The lines are explained in `fill_world`. 400 lots at 10,000 ticks are 40 USDT, 4,000,000,000 units;
a taker pays 1,000 ppm, a maker 500.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from trader.core.fees import FeeBook
from trader.core.model import CLOSE, FeeCoin, Fees, FeeTier, Model, Slippage, VolumeCap
from trader.core.scale import Spec
from trader.domain.timeframe import DAY_MS

from .fill_world import Table, disagreement
from .made import UNIT, instrument

STOP = {"stop": 1.0}
SPREAD = Model(spread_ppm=200)


def paying(fees: Fees, text: str, **rules: str) -> Table:
    """A table under these fees."""
    return Table(text, Model(spread_ppm=0, fees=fees), rules=rules)


WAY = """
        10000  | in  |
        10000  | out | buy 400 @10000 {buy}
        10000  |     | sell 400 @10000 {sell}
        """
TIERS = (FeeTier(0, 1_000, 800), FeeTier(40 * UNIT, 500, 300), FeeTier(90 * UNIT, 0, 0))
OTHER = "\n".join(["20000"] * 3)

FEES = {
    # 400 x 10,000 x 1,000 = 4,000,000,000 units
    "in the quote": paying(Fees(), WAY.format(buy="fee 4000000", sell="fee 4000000")),
    "a maker's": Table(
        """
        10000                  | in |
        10000,10000,9998,9999  |    | buy 400 @9999 fee 1999800
        """,
        SPREAD,
        maker=True,
    ),
    # 333 x 10,000 x 1,000 x 123 ppm = 409,590; at 10,001: 409,630.959
    "rounded up": Table(
        """
        10000  | in  |
        10001  | out | buy 333 @10001 fee 409631
        10000  |     | sell 333 @10000 fee 409590
        """,
        rules={"qty_max": "0.333", "fee_taker": "0.000123"},
    ),
    # 400 lots are 40,000,000 units of the coin, 0.1 % of them 40,000: 399 lots are left to sell
    "in the base coin": Table(
        """
        10000  | in  |
        10000  | out | buy 400 @10000 fee 0 base 40000
        10000  |     | sell 399 @10000 fee 3990000 base 0
        """,
        Model(spread_ppm=0, fee_in_base=True),
    ),
    # 333 lots are 33,300,000 units, 123 ppm of them 4,095.9
    "in the base coin, rounded up": Table(
        """
        10000  | in  |
        10000  | out | buy 333 @10000 fee 0 base 4096
        10000  |     | sell 332 @10000
        """,
        Model(spread_ppm=0, fee_in_base=True),
        rules={"qty_max": "0.333", "fee_taker": "0.000123"},
    ),
    # 0.04 USDT at 200 USDT a coin
    "in a third coin": paying(
        Fees(coin=FeeCoin("BNB", 200 * UNIT)),
        WAY.format(buy="fee 4000000 coin 0.0002", sell="fee 4000000 coin 0.0002"),
    ),
    # 0.04 / 300 = 0.000133333...
    "in a third coin, rounded up": paying(
        Fees(coin=FeeCoin("BNB", 300 * UNIT)),
        WAY.format(buy="coin 0.00013334", sell="coin 0.00013334"),
    ),
    # 200 USDT at the close of bar 0 and 250 at that of bar 1
    "in a third coin at the close that is known": Table(
        WAY.format(buy="coin 0.0002", sell="coin 0.00016"),
        Model(0, fees=Fees(coin=FeeCoin("BNB", 0, "BNB/USDT"))),
        others={"BNB/USDT": "20000\n25000\n99999"},
    ),
    "in a third coin whose bars begin later": Table(
        WAY.format(buy="coin 0.0004", sell="coin 0.00016"),
        Model(0, fees=Fees(coin=FeeCoin("BNB", 100 * UNIT, "BNB/USDT"))),
        others={"BNB/USDT": "-\n25000\n99999"},
    ),
    # 40 USDT were bought: the second tier, from 40 on
    "by tiers": paying(Fees(TIERS), WAY.format(buy="fee 4000000", sell="fee 2000000")),
    # one unit short of it
    "a tier that is not reached": paying(
        Fees((FeeTier(0, 1_000, 800), FeeTier(40 * UNIT + 1, 500, 300))),
        WAY.format(buy="fee 4000000", sell="fee 4000000"),
    ),
    "the third fill in the third tier": paying(
        Fees((FeeTier(0, 1_000, 800), FeeTier(40 * UNIT, 500, 300), FeeTier(80 * UNIT, 0, 0))),
        """
        10000  | in  |
        10000  | out | buy 400 @10000 fee 4000000
        10000  | in  | sell 400 @10000 fee 2000000
        10000  |     | buy 400 @10000 fee 0
        """,
    ),
    "a tier of makers": Table(
        """
        10000                  | in |
        10000,10000,9998,9999  |    | buy 400 @9999 fee 3199680
        """,
        Model(spread_ppm=200, fees=Fees(TIERS)),
        maker=True,
    ),
    "a tier in a third coin": paying(
        Fees(TIERS, FeeCoin("BNB", 200 * UNIT)),
        WAY.format(buy="coin 0.0002", sell="fee 2000000 coin 0.0001"),
    ),
}

CLOSED = Model(spread_ppm=0, at_end=CLOSE)
ENDS = {
    "sold at the last close": Table(
        """
        10000                    | in |
        10000                    |    | buy 400 @10000
        10010,10100,10000,10050  |    | sell 400 @10050 fee 4020000 why end_of_data
        """,
        CLOSED,
    ),
    # 100 and 1,000 ppm: 10,038.945
    "with spread and slippage": Table(
        """
        10000                    | in |
        10000                    |    | buy 400 @10011
        10010,10100,10000,10050  |    | sell 400 @10038 why end_of_data
        """,
        Model(200, slippage=Slippage(fixed_ppm=1_000), at_end=CLOSE),
    ),
    "marked": Table("""
        10000  | in |
        10000  |    | buy 400 @10000
        10050  |    |
        """),
    "nothing is held": Table("10000\n10000", CLOSED),
    "whole lots; what is less stays": Table(
        """
        10000  | in |
        10000  |    | buy 400 @10000 base 40000
        10050  |    | sell 399 @10050 base 0 why end_of_data
        """,
        Model(0, fee_in_base=True, at_end=CLOSE),
    ),
    "what rests ends with it": Table(
        """
        10000  | in |
        10000  |    | buy 400 @10000
        10050  |    | sell 400 @10050 why end_of_data
        """,
        Model(0, stops=True, at_end=CLOSE),
        exits=STOP,
    ),
    "what is carried ends with it": Table(
        """
        10000  | in |
        10000  |    | buy 100 @10000
        10050  |    | buy 100 @10050; sell 200 @10050 why end_of_data
        """,
        Model(0, volume=VolumeCap(100_000), at_end=CLOSE),
    ),
    "delisted: sold at its last close while others go on": Table(
        """
        10000  | in |
        10000  |    | buy 400 @10000
        10050  |    | sell 400 @10050 why delisted
        """,
        Model(0, delisted=CLOSE),
        others={"ETH/USDT": OTHER + "\n20000\n20000"},
    ),
    "delisted, and marked": Table(
        """
        10000  | in  |
        10000  |     | buy 400 @10000
        10050  | out |
        """,
        others={"ETH/USDT": OTHER + "\n20000\n20000"},
    ),
    "bars that all end together are the end, no delisting": Table(
        """
        10000  | in |
        10000  |    | buy 400 @10000
        10050  |    |
        """,
        Model(0, delisted=CLOSE),
        others={"ETH/USDT": OTHER},
    ),
}

TABLES = {
    f"{kind}: {name}": table
    for kind, tables in {"fee": FEES, "end": ENDS}.items()
    for name, table in tables.items()
}


@pytest.mark.parametrize("name", TABLES)
def test_fees_and_ends_are_as_the_table_says(name: str) -> None:
    assert disagreement(TABLES[name]) == ""


def test_turnover_older_than_thirty_days_counts_no_more() -> None:
    spec = Spec(instrument(), 8)
    book = FeeBook(Fees(TIERS), {}, 60_000, 8)
    seen: list[int] = []
    for day, units in ((0, 50), (10, 45), (29, 0), (30, 0), (39, 0), (40, 0)):
        seen.append(book.rate_ppm(spec, day * DAY_MS, maker=False))
        book.note(day * DAY_MS, units * UNIT)
    # by day: nothing yet; 50; 95; the 50 are 30 days old: 45; 45; nothing
    assert seen == [1_000, 500, 0, 500, 500, 1_000]


def test_a_third_coin_whose_bars_begin_later_and_no_rate_costs_its_first_open() -> None:
    table = FEES["in a third coin whose bars begin later"]
    model = Model(0, fees=Fees(coin=FeeCoin("BNB", 0, "BNB/USDT")))
    first = Table(table.text.replace("coin 0.0004", "coin 0.00016"), model, others=table.others)
    assert disagreement(first) == ""


def test_a_model_is_plain_only_while_nothing_else_is_chosen() -> None:
    assert Model().is_plain
    assert Model(0, fee_in_base=True).is_plain
    assert Model(zero_volume_fills=True).is_plain
    others = (
        Model(stops=True),
        Model(latency_bars=0),
        Model(spread_range_ppm=1),
        Model(slippage=Slippage(fixed_ppm=1)),
        Model(volume=VolumeCap(1)),
        Model(fees=Fees(TIERS)),
        Model(detail="1m"),
        Model(at_end=CLOSE),
        Model(delisted=CLOSE),
    )
    assert not any(model.is_plain for model in others)


def test_costs_are_multiplied_in_every_part() -> None:
    model = Model(
        200,
        spread_range_ppm=3,
        slippage=Slippage(10, 500_000, 20),
        fees=Fees(TIERS, FeeCoin("BNB", 7)),
    )
    none, twice = model.times(0), model.times(2)
    assert (none.spread_ppm, none.spread_range_ppm) == (0, 0)
    assert (none.slippage.fixed_ppm, none.slippage.impact_ppm) == (0, 0)
    assert [tier.taker_ppm for tier in none.fees.tiers] == [0, 0, 0]
    assert (twice.spread_ppm, twice.spread_range_ppm) == (400, 6)
    assert twice.slippage == Slippage(20, 500_000, 40)
    assert [tier.maker_ppm for tier in twice.fees.tiers] == [1_600, 600, 0]
    assert twice.fees.coin == model.fees.coin
    assert Decimal(twice.fees.tiers[1].turnover_units) == 40 * UNIT

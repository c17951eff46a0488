"""Takers' fills by table: when an order arrives, at what price, how much of it; worked by hand.

The lines are explained in `fill_world`. 400 lots at 10,000 ticks are 40 USDT; the entry's limit is
10,500 where the close was 10,000, an exit's 9,500.
"""

from __future__ import annotations

import pytest

from trader.core.model import Model, Slippage, VolumeCap

from .fill_world import FREE, Table, disagreement

LATE = Model(spread_ppm=0, latency_bars=2)


def slips(spread_ppm: int = 0, **parts: int | bool) -> Model:
    """A model with this slippage."""
    slippage = Slippage(**parts)  # type: ignore[arg-type] # names and kinds are the record's own
    return Model(spread_ppm, slippage=slippage)


def share(ppm: int, carry: int = 10) -> Model:
    """No more than a share of the volume."""
    return Model(spread_ppm=0, volume=VolumeCap(ppm, carry))


ARRIVAL = {
    "the next open": Table("""
        10000                   | in  |
        10005,10010,9990,10000  |     | buy 400 @10005 fee 4002000
        10000                   | out |
        9995,10000,9990,10000   |     | sell 400 @9995 fee 3998000
        """),
    "the close of the deciding bar": Table(
        """
        10000,10020,9990,10010  | in  | buy 400 @10010
        10300                   |     |
        10000,10020,9980,9985   | out | sell 400 @9985
        10300                   |     |
        """,
        Model(spread_ppm=0, latency_bars=0),
    ),
    "two bars later": Table(
        """
        10000                   | in  |
        10100                   |     |
        10007,10010,9990,10000  | out | buy 400 @10007
        10200                   | out |
        10300                   |     | sell 400 @10300
        """,
        LATE,
    ),
    "three bars later": Table(
        """
        10000  | in |
        10100  |    |
        10200  |    |
        10300  |    | buy 400 @10300
        """,
        Model(spread_ppm=0, latency_bars=3),
    ),
    "an order on its way is not sent again": Table(
        """
        10000  | in |
        10100  | in |
        10200  |    | buy 400 @10200
        10300  |    |
        """,
        LATE,
    ),
    "beyond the limit when it arrives": Table(
        """
        10000  | in |
        10400  |    |
        10501  |    |
        10000  |    |
        """,
        LATE,
    ),
    "no bar when it arrives": Table(
        """
        10000  | in |
        10000  |    |
        -      |    |
        10000  |    |
        """,
        LATE,
    ),
    "no bar when it arrives, nor before": Table(
        """
        10000  | in |
        -      |    |
        -      |    |
        10000  |    |
        """,
        LATE,
    ),
    "no bar when it arrives, but it is carried on": Table(
        """
        10000  | in |
        -      |    |
        -      |    |
        10000  |    | buy 100 @10000
        10001  |    | buy 100 @10001
        """,
        Model(spread_ppm=0, latency_bars=2, volume=VolumeCap(100_000, 2)),
    ),
    "it arrives though no bar stood before it": Table(
        """
        10000  | in |
        -      |    |
        10006  |    | buy 400 @10006
        """,
        LATE,
    ),
    "a minute without a bar": Table("""
        10000  | in |
        -      |    |
        10000  |    |
        """),
    "the end of the file": Table("""
        10000  | in |
        """),
    "a bar without volume": Table("""
        10000     | in |
        10000 v0  |    |
        10000     |    |
        """),
    "after a bar without volume the signal may say it again": Table("""
        10000     | in |
        10001 v0  | in |
        10002     |    | buy 400 @10002
        """),
    "an exit waits while nothing trades": Table("""
        10000     | in  |
        10000     | out | buy 400 @10000
        10001 v0  | out |
        10002 v0  | out |
        10003     |     | sell 400 @10003
        """),
    "a bar without volume where the model lets it fill": Table(
        """
        10000     | in |
        10003 v0  |    | buy 400 @10003
        """,
        Model(spread_ppm=0, zero_volume_fills=True),
    ),
    "data that tell no volume at all": Table("""
        10000 v0  | in |
        10003 v0  |    | buy 400 @10003
        """),
    "a gap up exactly to the limit": Table("""
        10000                    | in |
        10500,10600,10400,10450  |    | buy 400 @10500
        """),
    "a gap up one tick beyond the limit": Table("""
        10000                    | in |
        10501,10600,10000,10450  |    |
        """),
    "a gap down exactly to the limit": Table("""
        10000  | in  |
        10000  | out | buy 400 @10000
        9500   |     | sell 400 @9500
        """),
    "a gap down beyond the limit climbs the ladder from the new bid": Table("""
        10000  | in  |
        10000  | out | buy 400 @10000
        9400   |     | sell 400 @9400
        """),
    "a gap down to less than the volume is no price": Table("""
        10000      | in  |
        10000      | out | buy 400 @10000
        9400 v0    | out |
        9300       |     | sell 400 @9300
        """),
}

COSTS = {
    "half the spread each way": Table(
        """
        10000  | in  |
        10000  |     | buy 400 @10001 fee 4000400
        10000  | out |
        10000  |     | sell 400 @9999 fee 3999600
        """,
        Model(spread_ppm=200),
    ),
    # half of 201 ppm is 101 against us: 10,001.01 and 9,998.99
    "an odd spread is rounded against us": Table(
        """
        10000  | in  |
        10000  |     | buy 400 @10002
        10000  | out |
        10000  |     | sell 400 @9998
        """,
        Model(spread_ppm=201),
    ),
    "the smallest spread costs a tick": Table(
        """
        10000  | in  |
        10000  | out | buy 400 @10001
        10000  |     | sell 400 @9999
        """,
        Model(spread_ppm=1),
    ),
    "a fixed slippage": Table(
        """
        10000  | in  |
        10000  | out | buy 400 @10010
        10000  |     | sell 400 @9990
        """,
        slips(fixed_ppm=1_000),
    ),
    # 100 + 100 ppm
    "half a spread on top of the half": Table(
        """
        10000  | in  |
        10000  | out | buy 400 @10002
        10000  |     | sell 400 @9998
        """,
        slips(200, of_spread_ppm=500_000),
    ),
    # 10 % of the 100 ticks of the bar before are 1,000 ppm, half of it 500; after a flat bar there
    # is nothing but the fixed 2 ppm
    "a spread by the range of the bar before": Table(
        """
        10000,10100,10000,10000  | in  |
        10000                    | out | buy 400 @10005
        10000                    |     | sell 400 @9999
        """,
        Model(spread_ppm=2, spread_range_ppm=100_000),
    ),
    # 10 % of 10 ticks are 100 ppm, less than the fixed 400
    "a small range leaves the fixed spread": Table(
        """
        10000,10010,10000,10000  | in  |
        10000,10009,9999,10000   | out | buy 400 @10002
        10000                    |     | sell 400 @9998
        """,
        Model(spread_ppm=400, spread_range_ppm=100_000),
    ),
    # a quarter of the volume, its root a half: 5,000 ppm
    "an impact by the root of the share": Table(
        """
        10000       | in  |
        10000 v1.6  | out | buy 400 @10050
        10000 v1.6  |     | sell 400 @9950
        """,
        slips(impact_ppm=10_000),
    ),
    "an impact by the share": Table(
        """
        10000       | in  |
        10000 v1.6  | out | buy 400 @10025
        10000 v1.6  |     | sell 400 @9975
        """,
        slips(impact_ppm=10_000, linear=True),
    ),
    # the root of 0.4 is 0.632455...: 6,325 ppm up; 10,063.25 and 9,936.75
    "an impact is rounded against us": Table(
        """
        10000  | in  |
        10000  | out | buy 400 @10064
        10000  |     | sell 400 @9936
        """,
        slips(impact_ppm=10_000),
    ),
    # four times the volume, its root two: 20,000 ppm
    "more than all that traded": Table(
        """
        10000       | in |
        10000 v0.1  |    | buy 400 @10200
        """,
        slips(impact_ppm=10_000),
    ),
    # 10,500 is 50,000 ppm away, half of the impact: a quarter of the volume
    "only as much as the limit covers": Table(
        """
        10000  | in |
        10000  |    | buy 250 @10500
        10000  |    |
        """,
        slips(impact_ppm=100_000),
    ),
    # one tick less room: l with 10,000 * (1 + 0.1 * root(l / 1,000)) <= 10,500 from 10,001 on:
    # 49,895 ppm, a share of 0.24895...: 248 lots, 49,800 ppm, 10,499.05 up
    "and not one lot more": Table(
        """
        10000  | in |
        10001  |    | buy 248 @10500
        10000  |    |
        """,
        slips(impact_ppm=100_000),
    ),
    "a slippage beyond the limit": Table(
        """
        10000  | in |
        10000  |    |
        """,
        slips(fixed_ppm=50_001),
    ),
    # 100 + 1,000 + 5,000 ppm: 10,061 and 9,939
    "everything adds up": Table(
        """
        10000       | in  |
        10000 v1.6  | out | buy 400 @10061
        10000 v1.6  |     | sell 400 @9939
        """,
        slips(200, fixed_ppm=1_000, impact_ppm=10_000),
    ),
    "the ladder does not go where slippage is": Table(
        """
        10000  | in  |
        10000  | out | buy 400 @10400
        10000  |     | sell 400 @9600
        """,
        slips(fixed_ppm=40_000),
    ),
}

VOLUME = {
    "a tenth of each bar until it is done": Table(
        """
        10000  | in |
        10001  |    | buy 100 @10001
        10002  |    | buy 100 @10002
        10003  |    | buy 100 @10003
        10004  |    | buy 100 @10004
        10005  |    |
        """,
        share(100_000),
    ),
    "the rest expires where it is not carried": Table(
        """
        10000  | in |
        10001  |    | buy 100 @10001
        10002  |    |
        """,
        share(100_000, carry=0),
    ),
    "carried for two bars": Table(
        """
        10000  | in |
        10001  |    | buy 100 @10001
        10002  |    | buy 100 @10002
        10003  |    | buy 100 @10003
        10004  |    |
        """,
        share(100_000, carry=2),
    ),
    # 1,005 lots, a tenth of them 100.5
    "a share is rounded down": Table(
        """
        10000         | in |
        10001 v1.005  |    | buy 100 @10001
        10002         |    |
        """,
        share(100_000, carry=0),
    ),
    # 0.3 / 0.001 is 299.99999999999994 in binary, 300 in truth
    "a volume is as many lots as its decimals say": Table(
        """
        10000       | in |
        10001 v0.3  |    | buy 300 @10001
        10002       |    | buy 100 @10002
        """,
        share(1_000_000),
    ),
    "what no lot is of fills nothing": Table(
        """
        10000          | in |
        10001 v0.0009  |    |
        10002          |    | buy 400 @10002
        """,
        share(1_000_000),
    ),
    "a rest ends where its limit is passed": Table(
        """
        10000  | in |
        10001  |    | buy 100 @10001
        10501  |    |
        10000  |    |
        """,
        share(100_000),
    ),
    "a rest waits for a bar": Table(
        """
        10000  | in |
        10001  |    | buy 100 @10001
        -      |    |
        10003  |    | buy 100 @10003
        10004  |    | buy 100 @10004
        10005  |    | buy 100 @10005
        """,
        share(100_000),
    ),
    "a rest waits for volume": Table(
        """
        10000     | in |
        10001     |    | buy 100 @10001
        10002 v0  |    |
        10003 v9  |    | buy 300 @10003
        """,
        share(100_000),
    ),
    "an exit is carried on": Table(
        """
        10000     | in  |
        10000 v4  | out | buy 400 @10000
        10001     |     | sell 100 @10001
        10002     |     | sell 100 @10002
        10003 v2  |     | sell 200 @10003
        10004     |     |
        """,
        share(100_000),
    ),
    "what is left is bought no further": Table(
        """
        10000  | in  |
        10001  |     | buy 100 @10001
        10002  | out | buy 100 @10002
        10003  |     | sell 100 @10003
        10004  |     | sell 100 @10004
        10005  |     |
        """,
        share(100_000),
    ),
    "a late order is carried on too": Table(
        """
        10000     | in |
        10001     |    |
        10002     |    | buy 100 @10002
        10003 v3  |    | buy 300 @10003
        """,
        Model(spread_ppm=0, latency_bars=2, volume=VolumeCap(100_000)),
    ),
    "at the close it is the volume of the bar that closed": Table(
        """
        10000 v2  | in | buy 200 @10000
        10001 v1  |    | buy 100 @10001
        10002 v9  |    | buy 100 @10002
        """,
        Model(spread_ppm=0, latency_bars=0, volume=VolumeCap(100_000)),
    ),
    # a share of 40 %: root of 0.04 x 10,000 ppm is 2,000 on 400 of 10,000 lots
    "the impact is that of what fills": Table(
        """
        10000      | in |
        10000 v10  |    | buy 400 @10020
        """,
        Model(0, slippage=Slippage(impact_ppm=10_000), volume=VolumeCap(400_000)),
    ),
    # 100 of 1,000 lots, the root of 0.1 is 0.31622...: 3,163 ppm, 10,031.63 up
    "and of each part by itself": Table(
        """
        10000  | in |
        10000  |    | buy 100 @10032
        10000  |    | buy 100 @10032
        """,
        Model(0, slippage=Slippage(impact_ppm=10_000), volume=VolumeCap(100_000, 1)),
    ),
}

TABLES = {**ARRIVAL, **COSTS, **VOLUME}


@pytest.mark.parametrize("name", TABLES)
def test_a_taker_fills_as_the_table_says(name: str) -> None:
    assert disagreement(TABLES[name]) == ""


def test_the_tables_would_notice_another_fill() -> None:
    table = ARRIVAL["the next open"]
    assert disagreement(Table(table.text, Model(spread_ppm=200))) != ""
    assert disagreement(Table(table.text.replace("fee 4002000", "fee 4002001"), FREE)) != ""

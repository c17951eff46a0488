"""Fills of what rests, by table, on long bars and by the finer bars inside them; worked by hand.

The lines are explained in `fill_world`. A protective stop 1.0 below the entry's close of 10,000
ticks is at 9,900; it may sell down to 5 % below, 9,405. A maker's entry is at the bid, 9,999 with a
spread of 200 ppm.
"""

from __future__ import annotations

import pytest

from trader.core.model import Model, Slippage, VolumeCap

from .fill_world import Table, disagreement

STOP = {"stop": 1.0}
RESTS = Model(spread_ppm=0, stops=True)
SPREAD = Model(spread_ppm=200)
# What the entry at bar 0 brings: bought at the open of bar 1, protected from bar 2 on.
HELD = """
        10000  | in |
        10000  |    | buy 400 @10000"""


def stopped(after: str, model: Model = RESTS) -> Table:
    """A protected position, and the bars after it."""
    return Table(HELD + after, model, exits=STOP)


STOPS = {
    "inside the bar": stopped("""
        9950,9960,9890,9950  | | sell 400 @9900 why stop_loss
        """),
    "exactly touched": stopped("""
        9950,9960,9900,9950  | | sell 400 @9900
        """),
    "one tick above it": stopped("""
        9950,9960,9901,9950  | |
        10000                | |
        """),
    "a crash inside the bar": stopped("""
        9950,9960,9000,9100  | | sell 400 @9900
        """),
    "a gap sells at the open": stopped("""
        9870,9880,9860,9870  | | sell 400 @9870
        """),
    "a gap exactly to the limit": stopped("""
        9405,9500,9400,9450  | | sell 400 @9405
        """),
    "a gap beyond the limit and back through it": stopped("""
        9300,9406,9290,9400  | | sell 400 @9405
        """),
    "a gap beyond the limit is left to the ladder": stopped("""
        9300,9405,9290,9340  | |
        9330                 | | sell 400 @9330 why stop_loss
        """),
    # the bid 100 ppm below 9,900, down
    "at the bid": Table(
        """
        10000                | in |
        10000                |    | buy 400 @10001
        9950,9960,9890,9950  |    | sell 400 @9899
        """,
        Model(spread_ppm=200, stops=True),
        exits=STOP,
    ),
    # 1,000 ppm below 9,900: 9,890.1
    "with slippage": Table(
        """
        10000                | in |
        10000                |    | buy 400 @10010
        9950,9960,9890,9950  |    | sell 400 @9890
        """,
        Model(spread_ppm=0, stops=True, slippage=Slippage(fixed_ppm=1_000)),
        exits=STOP,
    ),
    "nothing trades where it is touched": stopped("""
        9950,9960,9890,9950 v0  | |
        9940                    | | sell 400 @9940 why stop_loss
        """),
    "a part of what traded": stopped("""
        9880 v0.3  | | sell 300 @9880
        9870       | | sell 100 @9870
        """),
    "no more than the share": Table(
        """
        10000      | in |
        10000 v4   |    | buy 400 @10000
        9880 v1    |    | sell 100 @9880
        9870 v9    |    | sell 300 @9870
        """,
        Model(spread_ppm=0, stops=True, volume=VolumeCap(100_000)),
        exits=STOP,
    ),
    "the program's own stop is sold at the next open": stopped(
        """
        9950,9960,9890,9950  | |
        9940                 | | sell 400 @9940 why stop_loss
        """,
        Model(spread_ppm=0),
    ),
    "stop and target in one bar: the stop is the reason": Table(
        """
        10000                  | in |
        10000                  |    | buy 400 @10000
        10000,10200,9890,9950  |    | sell 400 @9900 why stop_loss
        """,
        RESTS,
        exits={"stop": 1.0, "target": 1.0},
    ),
    "a target is the program's: the next open": Table(
        """
        10000                   | in |
        10000                   |    | buy 400 @10000
        10000,10100,9990,10050  |    |
        10060                   |    | sell 400 @10060 why take_profit
        """,
        RESTS,
        exits={"stop": 1.0, "target": 1.0},
    ),
    # sent at the open of bar 2, there from the open of bar 3 on
    "a late stop protects later": Table(
        """
        10000                | in |
        10000                |    |
        10000                |    | buy 400 @10000
        9950,9960,9890,9950  |    | sell 400 @9900 why stop_loss
        """,
        Model(spread_ppm=0, stops=True, latency_bars=2),
        exits=STOP,
    ),
    # its order to cancel arrives at the open of bar 4: in bar 3 the stop still sells
    "a cancel that comes late": Table(
        """
        10000                | in  |
        10000                |     |
        10000                |     | buy 400 @10000
        10000                | out |
        9950,9960,9890,9950  |     | sell 400 @9900 why stop_loss
        """,
        Model(spread_ppm=0, stops=True, latency_bars=2),
        exits=STOP,
    ),
}

MAKERS = {
    # Asked for at the close of bar 1, it arrives at the open of bar 3.
    "its cancel comes too late": Table(
        """
        10000                  | in  |
        10000                  | out |
        10000,10000,9998,9999  |     | buy 400 @9999
        10000                  |     |
        """,
        Model(spread_ppm=200, latency_bars=2),
        maker=True,
    ),
    "its cancel comes in time": Table(
        """
        10000                  | in  |
        10000                  | out |
        10000                  |     |
        10000,10000,9998,9999  |     |
        """,
        Model(spread_ppm=200, latency_bars=2),
        maker=True,
    ),
    "data that tell no volume bound nothing": Table(
        """
        10000 v0                  | in |
        10000,10000,9998,9999 v0  |    | buy 400 @9999
        """,
        SPREAD,
        maker=True,
    ),
    "traded through": Table(
        """
        10000                  | in |
        10000,10000,9998,9999  |    | buy 400 @9999 fee 1999800
        """,
        SPREAD,
        maker=True,
    ),
    "only touched": Table(
        """
        10000                  | in |
        10000,10000,9999,9999  |    |
        """,
        SPREAD,
        maker=True,
    ),
    "opened beyond, and came back": Table(
        """
        10000                 | in |
        10000 | |
        9900,10010,9890,9900  |    | buy 400 @9999
        """,
        SPREAD,
        maker=True,
    ),
    # 9,999 did not trade in it: the highest that did
    "a bar that lies beyond": Table(
        """
        10000                | in |
        10000 | |
        9900,9950,9890,9900  |    | buy 400 @9950
        """,
        SPREAD,
        maker=True,
    ),
    "what the bar traded": Table(
        """
        10000                        | in |
        10000,10000,9998,9999 v0.25  |    | buy 250 @9999
        10000,10000,9998,9999        |    | buy 150 @9999
        """,
        SPREAD,
        maker=True,
    ),
    "no more than the share of it": Table(
        """
        10000                  | in |
        10000,10000,9998,9999  |    | buy 300 @9999
        10000,10000,9998,9999  |    | buy 100 @9999
        """,
        Model(spread_ppm=200, volume=VolumeCap(300_000)),
        maker=True,
    ),
    "nothing where nothing trades": Table(
        """
        10000                     | in |
        10000,10000,9998,9999 v0  |    |
        10000,10000,9998,9999     |    | buy 400 @9999
        """,
        SPREAD,
        maker=True,
    ),
    "there from its second bar on": Table(
        """
        10000                  | in |
        10000,10000,9998,9999  |    |
        10000,10000,9998,9999  |    | buy 400 @9999
        """,
        Model(spread_ppm=200, latency_bars=2),
        maker=True,
    ),
    "it would take when it arrives": Table(
        """
        10000                  | in |
        10000                  |    |
        9990,10000,9980,9990   |    |
        9990,10000,9980,9990   |    |
        """,
        Model(spread_ppm=200, latency_bars=2),
        maker=True,
    ),
}

# Decisions every five minutes; the minutes inside them stand in the second text.
FINE = Model(spread_ppm=0, stops=True, detail="1m")
DETAIL = {
    # minute 12 opens at 9,850, below the stop: a gap that the long bar does not show
    "a gap inside the bar": Table(
        """
        10000                 | in |
        10000                 |    | buy 400 @10000
        9950,9960,9800,9950   |    | sell 400 @9850 minute 12
        """,
        FINE,
        exits=STOP,
        minutes=5,
        detail="""
        10000
        10000
        10000
        10000
        10000
        10000
        10000
        10000
        10000
        10000
        9950,9960,9940,9950
        9950,9950,9940,9940
        9850,9860,9800,9800
        9800,9900,9800,9900
        9900,9950,9900,9950
        """,
    ),
    "the minute in which it is touched": Table(
        """
        10000                 | in |
        10000                 |    | buy 400 @10000
        9950,9960,9890,9950   |    | sell 400 @9900 minute 13
        """,
        FINE,
        exits=STOP,
        minutes=5,
        detail="""
        -
        -
        -
        -
        -
        10000
        10000
        10000
        10000
        10000
        9950,9960,9940,9950
        9950,9950,9940,9940
        9940,9940,9930,9930
        9930,9930,9890,9900
        9900,9950,9900,9950
        """,
    ),
    # triggered in minute 11, where 9,405 is behind it; minute 14 trades back through it
    "past its limit, and back in a later minute": Table(
        """
        10000                 | in |
        10000                 |    | buy 400 @10000
        9950,9960,9200,9450   |    | sell 400 @9405 minute 14
        """,
        FINE,
        exits=STOP,
        minutes=5,
        detail="""
        -
        -
        -
        -
        -
        10000
        10000
        10000
        10000
        10000
        9950,9960,9940,9950
        9300,9300,9200,9200
        9200,9300,9200,9300
        9300,9405,9300,9400
        9400,9450,9400,9450
        """,
    ),
    # 0.1 traded in minute 11, 0.2 in minute 12, and then enough. Triggered, it rests at 9,405,
    # where nothing trades: the lowest that does is the worst it gets
    "no more than each minute traded": Table(
        """
        10000                      | in |
        10000                      |    | buy 400 @10000
        9880,9890,9850,9860 v1.3   |    | {sales}
        """.format(
            sales="sell 100 @9870 minute 11; sell 200 @9860 minute 12; sell 100 @9860 minute 13"
        ),
        FINE,
        exits=STOP,
        minutes=5,
        detail="""
        -
        -
        -
        -
        -
        10000
        10000
        10000
        10000
        10000
        -
        9870,9890,9850,9860 v0.1
        9870,9880,9860,9860 v0.2
        9870,9880,9860,9860 v0.5
        9870,9880,9860,9860 v0.5
        """,
    ),
    "without a minute the long bar counts": Table(
        """
        10000                 | in |
        10000                 |    | buy 400 @10000
        9950,9960,9890,9950   |    | sell 400 @9900 minute 14
        """,
        FINE,
        exits=STOP,
        minutes=5,
        detail="10000",
    ),
    "no share of a minute is passed": Table(
        """
        10000                     | in |
        10000 v4                  |    | buy 400 @10000
        9950,9960,9880,9900 v3    |    | sell 50 @9900 minute 11; sell 100 @9890 minute 12
        """,
        Model(spread_ppm=0, stops=True, detail="1m", volume=VolumeCap(100_000)),
        exits=STOP,
        minutes=5,
        detail="""
        -
        -
        -
        -
        -
        10000 v4
        -
        -
        -
        -
        9950
        9950,9950,9890,9890 v0.5
        9890,9900,9890,9890
        9880,9880,9880,9880 v0
        """,
    ),
    "the minute in which a maker is met": Table(
        """
        10000                  | in |
        10000,10010,9990,9995  |    | buy 400 @9999 minute 7
        """,
        Model(spread_ppm=200, detail="1m"),
        minutes=5,
        maker=True,
        detail="""
        10000
        10000
        10000
        10000
        10000
        10000,10010,10000,10000
        10000,10000,9999,9999
        9999,9999,9998,9998
        9998,9998,9990,9995
        9995
        """,
    ),
}


TABLES = {
    f"{kind}: {name}": table
    for kind, tables in {"stop": STOPS, "maker": MAKERS, "detail": DETAIL}.items()
    for name, table in tables.items()
}


@pytest.mark.parametrize("name", TABLES)
def test_what_rests_fills_as_the_table_says(name: str) -> None:
    assert disagreement(TABLES[name]) == ""

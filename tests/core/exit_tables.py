"""Bar tables of activation, break-even, scale-out and partial fills, worked by hand.

A table's position is 1,000 lots bought at 10,000 ticks (100.00): 100 USDT. The fee is 1,000 ppm, an
exit may slip 5,000 ppm, and the venue takes orders from 5 USDT and 2 lots. So the stop breaks even
at 10,000 x 1.001 / (0.999 x 0.995) = 10,070.4, up: 10,071 ticks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Bar = tuple[int, int, int]


class Row(NamedTuple):
    """One decision: (high, low, close) in ticks, why and how many lots are sold, the stop that is
    left, how many of them then fill (-1: all), the bid (0: one tick below the close)."""

    bar: Bar
    reason: str = ""
    lots: int = 0
    stop: int = 0
    filled: int = -1
    bid: int = 0


TWO_STEPS = "10500:300000 11000:300000"
TABLES: dict[str, tuple[dict[str, Any], list[Row]]] = {
    # --- the trail counts from 10,300 on ---------------------------------------------------------
    "a trail counts from its price on, not one tick before": (
        {"stop_ticks": 9_000, "trail_ticks": 500, "arm_ticks": 10_300},
        [
            Row((10_299, 9_950, 10_200), stop=9_000),
            Row((10_300, 10_000, 10_200), stop=9_800),
            Row((10_350, 10_000, 10_200), stop=9_850),
        ],
    ),
    "a trail that was never armed leaves the stop where it was": (
        {"stop_ticks": 9_000, "trail_ticks": 500, "arm_ticks": 10_300},
        [
            Row((10_200, 9_400, 9_450), stop=9_000),
            Row((9_500, 9_001, 9_100), stop=9_000),
            Row((9_100, 9_000, 9_050), "stop_loss", 1_000, 9_000),
        ],
    ),
    "an armed trail stays where it was when the price falls below its price": (
        {"stop_ticks": 9_000, "trail_ticks": 500, "arm_ticks": 10_300},
        [
            Row((10_300, 10_000, 10_250), stop=9_800),
            Row((10_100, 9_900, 9_950), stop=9_800),
            Row((9_900, 9_800, 9_850), "trailing_stop", 1_000, 9_800),
        ],
    ),
    "armed and left in one bar: the close came after the high": (
        {"stop_ticks": 9_000, "trail_ticks": 500, "arm_ticks": 10_300},
        [Row((10_400, 9_700, 9_850), "trailing_stop", 1_000, 9_900)],
    ),
    "armed in the bar whose low hit the stop: the worse one": (
        {"stop_ticks": 9_500, "trail_ticks": 500, "arm_ticks": 10_300},
        [Row((10_400, 9_500, 10_350), "stop_loss", 1_000, 9_900)],
    ),
    # --- break-even at 10,071, from 10,200 on ----------------------------------------------------
    "break-even puts the stop where leaving pays everything": (
        {"stop_ticks": 9_000, "even_ticks": 10_200},
        [
            Row((10_199, 9_900, 10_150), stop=9_000),
            Row((10_200, 10_000, 10_150), stop=10_071),
            Row((10_300, 10_072, 10_200), stop=10_071),
            Row((10_150, 10_071, 10_120), "break_even", 1_000, 10_071),
        ],
    ),
    "a spike to break-even is left at once: the close is below": (
        {"stop_ticks": 9_000, "even_ticks": 10_200},
        [Row((10_200, 9_900, 10_060), "break_even", 1_000, 10_071)],
    ),
    "the bid counts as the close does": (
        {"stop_ticks": 9_000, "even_ticks": 10_200},
        [Row((10_200, 9_900, 10_100), "break_even", 1_000, 10_071, bid=10_071)],
    ),
    "a distance nearer than the costs moves no stop above every price": (
        {"stop_ticks": 9_000, "even_ticks": 10_050},
        [
            Row((10_070, 9_990, 10_060), stop=9_000),
            Row((10_090, 9_990, 10_080), stop=10_071),
        ],
    ),
    "a stop that is higher already stays": (
        {"stop_ticks": 10_100, "even_ticks": 10_200},
        [Row((10_200, 10_101, 10_150), stop=10_100)],
    ),
    "break-even first, then the trail overtakes it": (
        {"stop_ticks": 9_000, "even_ticks": 10_200, "trail_ticks": 500},
        [
            Row((10_300, 10_000, 10_290), stop=10_071),  # the trail would say 9,800
            Row((10_700, 10_250, 10_690), stop=10_200),
            Row((10_500, 10_200, 10_400), "trailing_stop", 1_000, 10_200),
        ],
    ),
    "both in one bar: whichever is higher is named": (
        {"stop_ticks": 9_000, "even_ticks": 10_200, "trail_ticks": 500},
        [Row((10_700, 10_000, 10_150), "trailing_stop", 1_000, 10_200)],
    ),
    "break-even reached in the bar whose low hit the stop: the worse one": (
        {"stop_ticks": 9_500, "even_ticks": 10_200},
        [Row((10_400, 9_400, 10_300), "stop_loss", 1_000, 10_071)],
    ),
    "break-even and target in one bar, and the close is above: the target": (
        {"stop_ticks": 9_000, "even_ticks": 10_200, "target_ticks": 10_400},
        [Row((10_400, 10_000, 10_300), "take_profit", 1_000, 10_071)],
    ),
    "a gap through a stop at break-even is named so": (
        {"stop_ticks": 9_000, "even_ticks": 10_200},
        [
            Row((10_250, 10_100, 10_200), stop=10_071),
            Row((9_600, 9_300, 9_400), "break_even", 1_000, 10_071),
        ],
    ),
    # --- 30 % at 10,500, 30 % at 11,000 ----------------------------------------------------------
    "steps are sold as they are reached, and once": (
        {"stop_ticks": 9_000, "steps": TWO_STEPS},
        [
            Row((10_499, 9_900, 10_400), stop=9_000),
            Row((10_500, 10_100, 10_400), "scale_out", 300, 9_000),
            Row((10_700, 10_100, 10_600), stop=9_000),
            Row((11_000, 10_600, 10_900), "scale_out", 300, 9_000),
            Row((11_500, 10_600, 11_400), stop=9_000),
            Row((9_500, 9_000, 9_100), "stop_loss", 400, 9_000),
        ],
    ),
    "a gap over both steps sells both": (
        {"stop_ticks": 9_000, "steps": TWO_STEPS},
        [Row((11_300, 11_100, 11_200), "scale_out", 600, 9_000)],
    ),
    "a step that did not fill is tried again, though the price came back": (
        {"stop_ticks": 9_000, "steps": TWO_STEPS},
        [
            Row((10_500, 10_100, 10_400), "scale_out", 300, 9_000, filled=0),
            Row((10_300, 10_100, 10_200), "scale_out", 300, 9_000),
            Row((10_300, 10_100, 10_200), stop=9_000),
        ],
    ),
    "a step that filled in part is tried for its rest": (
        {"stop_ticks": 9_000, "steps": TWO_STEPS},
        [
            Row((10_500, 10_100, 10_400), "scale_out", 300, 9_000, filled=100),
            Row((10_300, 10_100, 10_200), "scale_out", 200, 9_000),
        ],
    ),
    "a part filled before the stop: the stop sells the rest": (
        {"stop_ticks": 9_500, "steps": TWO_STEPS},
        [
            Row((10_500, 10_100, 10_400), "scale_out", 300, 9_500, filled=100),
            Row((10_300, 9_500, 9_600), "stop_loss", 900, 9_500),
        ],
    ),
    "a stop that filled in part goes on with the rest": (
        {"stop_ticks": 9_500},
        [
            Row((10_000, 9_500, 9_600), "stop_loss", 1_000, 9_500, filled=400),
            Row((9_700, 9_480, 9_600), "stop_loss", 600, 9_500),
        ],
    ),
    "step and stop in one bar: the stop, and all of it": (
        {"stop_ticks": 9_900, "steps": TWO_STEPS},
        [Row((10_600, 9_900, 10_400), "stop_loss", 1_000, 9_900)],
    ),
    "step and target in one bar: the target sells all": (
        {"steps": TWO_STEPS, "target_ticks": 10_800},
        [Row((10_900, 10_000, 10_850), "take_profit", 1_000)],
    ),
    "step and longest hold in one bar: all of it": (
        {"steps": TWO_STEPS, "hold_ms": 60_000},
        [Row((10_600, 10_000, 10_500), "max_hold", 1_000)],
    ),
    "step and trail of this bar: the trail": (
        {"stop_ticks": 9_000, "trail_ticks": 500, "steps": TWO_STEPS},
        [Row((10_800, 10_000, 10_250), "trailing_stop", 1_000, 10_300)],
    ),
    "a bid reaches a step too": (
        {"steps": TWO_STEPS},
        [
            Row((10_400, 10_000, 10_400), bid=10_499),
            Row((10_400, 10_000, 10_400), "scale_out", 300, bid=10_500),
        ],
    ),
    "steps of all shares leave nothing behind": (
        {"steps": "10500:500000 11000:500000"},
        [
            Row((10_500, 10_100, 10_400), "scale_out", 500),
            Row((11_000, 10_600, 10_900), "scale_out", 500),
        ],
    ),
    "too little would remain (40 lots are 4.16 USDT): all is sold": (
        {"steps": "10500:960000"},
        [Row((10_500, 10_100, 10_400), "scale_out", 1_000)],
    ),
    "a step too small to be sold alone goes with the next": (
        {"steps": "10500:40000 11000:40000"},  # 40 lots are 4.16 USDT, 80 are 8.72
        [
            Row((10_500, 10_100, 10_400)),
            Row((11_000, 10_600, 10_900), "scale_out", 80),
        ],
    ),
    "a share that is no whole lot keeps more, never less": (
        {"steps": "10500:333333"},  # 1,000 x 0.666667, up, is 667
        [Row((10_500, 10_100, 10_400), "scale_out", 333)],
    ),
    "a spike over a step and back to where trading goes on": (
        {"stop_ticks": 9_000, "steps": TWO_STEPS},
        [
            Row((10_900, 9_900, 9_950), "scale_out", 300, 9_000),
            Row((9_960, 9_900, 9_950), stop=9_000),
        ],
    ),
    "steps and break-even together": (
        {"stop_ticks": 9_000, "even_ticks": 10_500, "steps": TWO_STEPS},
        [
            Row((10_500, 10_100, 10_400), "scale_out", 300, 10_071),
            Row((10_400, 10_050, 10_300), "break_even", 700, 10_071),
        ],
    ),
}

"""Rules between the keys of a strategy's exits, each with a bad and a good example.

Lives here: the part of the table that is about exits. Must not live here: what an example is (see
`incoherent_kinds`).
"""

from __future__ import annotations

from .incoherent_kinds import RULE, mild, of_file

STOP = RULE + "  stop: 5%\n"
SWEPT = RULE.replace("open", "sma(close, n)") + "  stop: 5%\n  parameters: {n: 20}\n"
STEPS = STOP + "  scale_out:\n"

OF_SWEEPS = (
    of_file(
        "PARAMETER_UNKNOWN",
        "strategies",
        6,
        "did you mean n",
        SWEPT + "  sweep:\n    ranges: {nn: 5:50:5}\n",
        SWEPT + "  sweep:\n    ranges: {n: 5:50:5}\n",
    ),
    of_file(
        "SWEEP_VALUE",
        "strategies",
        6,
        "sma: a period must be at least 1",
        SWEPT + "  sweep:\n    ranges: {n: 0:50:5}\n",
        SWEPT + "  sweep:\n    ranges: {n: 1:50:5}\n",
    ),
    of_file(
        "SWEEP_WHERE",
        "strategies",
        7,
        "n > 50 holds for no values",
        SWEPT + "  sweep:\n    ranges: {n: 5:50:5}\n    where: [n > 50]\n",
        SWEPT + "  sweep:\n    ranges: {n: 5:50:5}\n    where: [n >= 50]\n",
    ),
)

OF_EXITS = (
    of_file(
        "TRAIL_MISSING",
        "strategies",
        4,
        "write trail: 3%, or remove trail_from",
        STOP + "  trail_from: 2%\n",
        STOP + "  trail_from: 2%\n  trail: 3%\n",
    ),
    of_file(
        "SCALE_OUT_SUM",
        "strategies",
        4,
        "the steps sell 100.0001% of what was bought",
        STEPS + "  - {at: 5%, share: 60%}\n  - {at: 9%, share: 40.0001%}\n",
        STEPS + "  - {at: 5%, share: 60%}\n  - {at: 9%, share: 40%}\n",
    ),
    mild(
        of_file(
            "SCALE_OUT_IDLE",
            "strategies",
            5,
            "the step at 9% is not before the target 9%",
            STOP + "  target: 9%\n  scale_out:\n  - {at: 9%, share: 40%}\n",
            STOP + "  target: 9%\n  scale_out:\n  - {at: 8.9999%, share: 40%}\n",
        )
    ),
    of_file(
        "STOP_INSIDE_COSTS",
        "strategies",
        4,
        "write more than 0.4%",
        STOP + "  break_even: 0.4%\n",
        STOP + "  break_even: 0.41%\n",
    ),
    of_file(
        "STOP_INSIDE_COSTS",
        "strategies",
        4,
        "0.4% is not more than what trading costs",
        STEPS + "  - {at: 5%, share: 60%}\n  - {at: 40bps, share: 40%}\n",
        STEPS + "  - {at: 5%, share: 60%}\n  - {at: 41bps, share: 40%}\n",
    ),
)

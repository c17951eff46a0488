"""Rules between the keys of a strategy's exits, each with a bad and a good example.

Lives here: the part of the table that is about exits. Must not live here: what an example is (see
`incoherent_kinds`).
"""

from __future__ import annotations

from .incoherent_kinds import RULE, mild, of_file

STOP = RULE + "  stop: 5%\n"
STEPS = STOP + "  scale_out:\n"

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

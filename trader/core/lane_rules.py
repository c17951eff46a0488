"""The lane's rules: what limits and model say, as numbers that do not change while it runs.

Lives here: one record, made from the parameters and the account once. Must not live here: numbers
of an entry (`lane_sums`).
"""

from __future__ import annotations

from decimal import Decimal

from trader.core.daily import asks_correlated, asks_var
from trader.core.gate_view import GateView
from trader.core.gates import WORDS
from trader.core.ladder import rung_ppm
from trader.core.lane_gates import CODES
from trader.core.limits import NEVER
from trader.core.messages import binds
from trader.core.model import Model
from trader.core.money import PPM, share_up
from trader.core.order_sums import units_below
from trader.core.parameters import Parameters


class LaneRules:
    """Shares in ppm, times in ms, amounts in cash units; names as in `Limits`.

    Attributes:
        bid_ppm, ask_ppm: of a price, what bid and ask are modelled as.
        rung_ppm: what the first attempt of an exit may give away.
        second_limit, minute_limit, day_limit: on messages, what entries find; NEVER where none is
            asked.
        timed: 1 where sessions or closed windows say anything.
    """

    __slots__ = (
        "ask_ppm", "asks_correlated", "asks_messages", "asks_var", "asset_ppm", "bid_ppm",
        "calendar", "collar_window_bars", "correlated_ppm",
        "day_limit", "depth_asked", "exit_bars", "exit_ms", "exposure_ppm",
        "fall_ppm", "fee_in_base", "loss_ppm", "minute_limit", "pending_ppm",
        "position_ppm", "rolling_days", "rolling_ppm", "rung_ppm", "second_limit",
        "slippage_ppm", "stop_ms", "timed", "unfilled_ms", "value_units_max",
        "var_ppm", "volume_asked", "volume_bars", "volume_ppm", "whole", "window_asked",
    )  # fmt: skip

    def __init__(self, parameters: Parameters, model: Model, cash_digits: int) -> None:
        """Decimals become units here, once."""
        limits = parameters.limits
        self.bid_ppm, self.ask_ppm = PPM - model.half_ppm, PPM + model.half_ppm
        self.fee_in_base = int(model.fee_in_base)
        self.slippage_ppm, self.rung_ppm = limits.slippage_ppm, rung_ppm(limits, 0)
        self.position_ppm, self.exposure_ppm = limits.position_ppm, limits.exposure_ppm_max
        self.loss_ppm, self.asset_ppm = limits.loss_ppm_max, limits.asset_ppm_max
        self.pending_ppm = limits.pending_ppm_max
        self.fall_ppm = limits.strategy_drawdown_ppm
        self.rolling_ppm, self.rolling_days = limits.rolling_loss_ppm, limits.rolling_days
        self.asks_var, self.asks_correlated = int(asks_var(limits)), int(asks_correlated(limits))
        self.var_ppm = min(limits.var.limit_ppm, PPM)
        self.correlated_ppm = min(limits.correlated.exposure_ppm_max, PPM)
        self.asks_messages = int(binds(limits.messages))
        bounds = (limits.messages.second_max, limits.messages.minute_max, limits.messages.day_max)
        self.second_limit, self.minute_limit, self.day_limit = (
            NEVER if n >= NEVER else n - share_up(n, limits.messages.reserve_ppm) for n in bounds
        )
        waits = limits.cooldowns
        self.exit_ms, self.exit_bars = waits.exit_ms, waits.exit_bars
        self.stop_ms, self.unfilled_ms = waits.stop_ms, waits.unfilled_ms
        self.window_asked = int(limits.collar_window_ppm < NEVER)
        self.collar_window_bars = limits.collar_window_bars
        self.volume_asked = int(limits.volume_ppm_max < NEVER)
        self.volume_ppm, self.volume_bars = limits.volume_ppm_max, limits.volume_bars
        self.depth_asked = int(limits.depth_ppm_max > 0)
        unit = Decimal(1).scaleb(-cash_digits)
        self.value_units_max = units_below(Decimal(limits.order_value_max), unit)
        self.calendar = limits.calendar
        calendar = limits.calendar
        self.timed = int(bool(calendar.sessions or calendar.weekly or calendar.dated))
        self.whole = int(not parameters.capital)

    def words(self, gate: int, view: GateView) -> str:
        """What a refusal by a gate of `lane_gates` says besides its numbers, "" for nothing."""
        code = CODES[gate]
        return WORDS[code](view) if code in WORDS else ""


def asks_fall(ppm: int) -> bool:
    """Whether the draw-down of a strategy's book is measured against anything."""
    return ppm < NEVER

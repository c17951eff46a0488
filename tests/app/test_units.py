"""Numbers that a decision saw, in words: distances, coins, money."""

from __future__ import annotations

import pytest

from tests.core.made import BTC, account
from trader.app.units import Units


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("stop_distance", (1.5).hex(), ("stop distance", "1.5")),
        ("even_distance", (0.25).hex(), ("even distance", "0.25")),
        ("step_distances", f"{(5.0).hex()} {(7.5).hex()}", ("step distances", "5 7.5")),
        ("held_units", 100_000, ("held", "0.001 BTC")),
        ("dust_units", 50_000, ("dust", "0.0005 BTC")),
        ("loss_units", 150_000_000, ("loss", "1.5 USDT")),
        ("peak_ticks", 10_050, ("peak", "100.5 USDT")),
        ("kept_lots", 700, ("kept", "0.7 BTC")),
    ],
)
def test_a_number_is_told_in_its_unit(key: str, value: int | str, told: tuple[str, str]) -> None:
    assert Units(account()).told(BTC, key, value) == told

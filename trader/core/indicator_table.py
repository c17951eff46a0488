"""The indicator table: one entry per indicator, read by rules, strategies, documents and proofs.

Lives here: `INDICATORS`, names in the order of the documents. Must not live here: entries
(catalogue_*.py) and loops.
"""

from __future__ import annotations

from trader.core.catalogue_market import OSCILLATORS, TRENDS, VOLUME_FLOW
from trader.core.catalogue_prices import AVERAGES, DISPERSION, EXTREMES, RANGES
from trader.core.indicator import Indicator

GROUPS: tuple[tuple[str, tuple[Indicator, ...]], ...] = (
    ("Averages", AVERAGES),
    ("Oscillators", OSCILLATORS),
    ("Ranges", RANGES),
    ("Trends", TRENDS),
    ("Extremes", EXTREMES),
    ("Dispersion", DISPERSION),
    ("Volume", VOLUME_FLOW),
)
INDICATORS: dict[str, Indicator] = {entry.name: entry for _, group in GROUPS for entry in group}

"""Contradictions about how entry orders work, each with a bad and a good example.

Lives here: a part of the table of `incoherent`.
"""

from __future__ import annotations

from .incoherent_kinds import Example, of_file

OF_ENTRIES = (
    of_file(
        "ENTRY_KEY",
        "strategies",
        1,
        "ttl does not belong to style taker",
        "cross: {entry: {ttl: 10m}}\n",
        "cross: {entry: {style: maker, ttl: 10m}}\n",
    ),
    Example(
        "ENTRY_SHORT",
        "strategies.yaml:1",
        "ttl 4m is shorter than a decision bar of 5m",
        {"app": "timeframe: 5m\n", "strategies": "cross: {entry: {style: maker, ttl: 4m}}\n"},
        {"app": "timeframe: 5m\n", "strategies": "cross: {entry: {style: maker, ttl: 5m}}\n"},
    ),
    Example(
        "ENTRY_RESTRICTED",
        "strategies.yaml:1",
        "post_only orders, which policy.restricted forbids",
        {
            "policy": "restricted: {order_types: [post_only]}\n",
            "strategies": "cross: {entry: {style: maker}}\n",
        },
        {
            "policy": "restricted: {order_types: [limit]}\n",
            "strategies": "cross: {entry: {style: maker}}\n",
        },
    ),
)

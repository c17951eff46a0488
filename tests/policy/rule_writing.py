"""A program of rules written out as calls, for tables that a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def told(program: Mapping[str, Any], output: str) -> str:
    """A program's output, written out as calls: op(arguments; numbers)."""
    nodes = program["nodes"]

    def write(index: int) -> str:
        op, timeframe, arguments, numbers, text = nodes[index]
        at = f"@{timeframe}" if timeframe else ""
        if op == "number":
            return str(numbers[0]) + at
        if op == "column":
            return f"{text}{at}"
        inner = ", ".join(write(argument) for argument in arguments)
        own = f"; {', '.join(numbers)}" if numbers else ""
        name = text if op == "indicator" else f"on:{text}" if op == "on" else op
        return f"{name}{at}({inner}{own})"

    return write(program["outputs"][output])

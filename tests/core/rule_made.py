"""Programs written by hand, for tests: nodes are added one by one and get their index."""

from __future__ import annotations

from typing import Any


class Program:
    """A plain program being made; `add` gives the index of the node."""

    def __init__(self) -> None:
        self.nodes: list[list[Any]] = []

    def add(
        self,
        op: str,
        *args: int,
        numbers: tuple[Any, ...] = (),
        text: str = "",
        timeframe: str = "",
    ) -> int:
        self.nodes.append([op, timeframe, list(args), [str(n) for n in numbers], text])
        return len(self.nodes) - 1

    def column(self, text: str = "close", timeframe: str = "") -> int:
        return self.add("column", text=text, timeframe=timeframe)

    def number(self, value: Any, timeframe: str = "") -> int:
        return self.add("number", numbers=(value,), timeframe=timeframe)

    def indicator(
        self, text: str, *args: int, numbers: tuple[Any, ...], timeframe: str = ""
    ) -> int:
        return self.add("indicator", *args, numbers=numbers, text=text, timeframe=timeframe)

    def plain(self, **outputs: int) -> dict[str, Any]:
        return {"nodes": self.nodes, "outputs": outputs}


def cross_program(fast: Any = 2, slow: Any = 4, name: str = "sma") -> dict[str, Any]:
    """Enter where the fast average crosses above the slow one; out while it is below."""
    p = Program()
    close = p.column()
    quick = p.indicator(name, close, numbers=(fast,))
    calm = p.indicator(name, close, numbers=(slow,))
    enter = p.add("crosses_above", quick, calm)
    leave = p.add("lt", quick, calm)
    stop = p.add("mul", p.number("0.05"), close)
    return p.plain(enter=enter, exit=leave, stop=stop)

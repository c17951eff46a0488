"""Entries into projections: the same for the live journal, a rebuild and a repair.

Lives here: `Folder`, which applies one entry to a State (by the core's fold) and to the tables.
Must not live here: appending entries, transactions, files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from trader.core.fold import FoldError, fold
from trader.core.state import Row, State
from trader.journal.codec import Payload
from trader.journal.schema import (
    BARS,
    BLOBS,
    CYCLES,
    FILLS,
    FLOWS,
    LIVE_ORDERS,
    ORDERS,
    PLANS,
    STATE_TABLES,
    TABLES,
)

PLACING = frozenset({"plan", "order_planned", "order_recalled"})
UPSERTS = {name: table.upsert() for name, table in TABLES.items() if name != ORDERS.name}
NO_SEQ = 0  # of a cycle that has no plan yet, or has not ended
NO_CODE = -1

_UPSERT_ORDER = ORDERS.upsert().replace(", placed_seq = excluded.placed_seq", "")
_PLACE_ORDER = "UPDATE orders SET placed_seq = ? WHERE client_id = ?"
_INSERT_FILL = FILLS.insert()
_INSERT_FLOW = FLOWS.insert()
_INSERT_BAR = BARS.insert()
_INSERT_BLOB = BLOBS.insert()


class Folder:
    """Applies entries, in order, to a State and to the projections of one database.

    `body_of(sha)` gives the stored (compressed) bytes of a blob that is being applied.
    """

    def __init__(
        self, connection: sqlite3.Connection, state: State, body_of: Callable[[str], bytes]
    ) -> None:
        """Start from a state that equals the database's projections."""
        self.connection = connection
        self.state = state
        self.body_of = body_of
        self._logs: dict[str, Callable[[int, Payload], None]] = {
            "bars": self._bars,
            "blob": self._blob,
            "cycle_end": self._cycle_end,
            "cycle_start": self._cycle_start,
            "fill": self._fill,
            "flow": self._flow,
            "order_planned": self._order_planned,
            "plan": self._plan,
            "segment": self._segment,
        }

    def apply(self, seq: int, kind: str, payload: Payload) -> None:
        """One entry, payload in today's version, decoded from its canonical JSON.

        Raises FoldError, IllegalTransition or what the payload's shape provokes; then the caller
        rolls back and reloads the state.
        """
        log = self._logs.get(kind)
        if log is not None:
            log(seq, payload)
        before = set(self.state.orders) if kind in PLACING else None
        fold(self.state, kind, payload)
        self._flush(seq)
        if before is not None:
            placed = [key for key in self.state.orders if key not in before]
            self.connection.executemany(_PLACE_ORDER, [(seq, key) for key in placed])

    def _flush(self, seq: int) -> None:
        execute = self.connection.execute
        for table, key in self.state.dirty:
            row = self.state.row(table, key)
            assert row is not None, "a fold marks what it keeps"
            if table == ORDERS.name:
                held = [row[name] for name in ORDERS.names[:-2]]
                execute(_UPSERT_ORDER, (*held, seq, seq))
            else:
                names = STATE_TABLES[table].names
                execute(UPSERTS[table], tuple(row[name] for name in names))
        self.state.dirty.clear()

    def _refuse_known(self, leg: Payload) -> None:
        client_id = str(leg["client_id"])
        known = "SELECT 1 FROM orders WHERE client_id = ?"
        if self.connection.execute(known, (client_id,)).fetchone():
            raise FoldError(f"order {client_id} exists already")

    def _order_planned(self, _seq: int, payload: Payload) -> None:
        self._refuse_known(payload)

    def _plan(self, seq: int, payload: Payload) -> None:
        for leg in payload["legs"]:
            self._refuse_known(leg)
        self.connection.execute(UPSERTS[PLANS.name], (int(payload["bar_ms"]), seq))
        self.connection.execute(
            "UPDATE cycles SET plan_seq = ? WHERE cycle = ?", (seq, self.state.number("cycles"))
        )

    def _cycle_start(self, seq: int, payload: Payload) -> None:
        cycle = int(payload["cycle"])
        if cycle <= self.state.number("cycles"):
            raise FoldError(f"cycle {cycle} does not come after {self.state.number('cycles')}")
        row = (cycle, int(payload["now_ms"]), int(payload["bar_ms"]), seq, NO_SEQ, NO_SEQ, NO_CODE)
        self.connection.execute(UPSERTS[CYCLES.name], row)

    def _cycle_end(self, seq: int, payload: Payload) -> None:
        self.connection.execute(
            "UPDATE cycles SET end_seq = ?, code = ? WHERE cycle = ?",
            (seq, int(payload["code"]), int(payload["cycle"])),
        )

    def _fill(self, seq: int, payload: Payload) -> None:
        symbol, trade_id = str(payload["symbol"]), str(payload["trade_id"])
        known = "SELECT 1 FROM fills WHERE symbol = ? AND trade_id = ?"
        if self.connection.execute(known, (symbol, trade_id)).fetchone():
            raise FoldError(f"fill {trade_id} of {symbol} is booked already")
        held = {**payload, "maker": int(payload["maker"]), "seq": seq}
        self.connection.execute(_INSERT_FILL, [held[name] for name in FILLS.names])

    def _flow(self, seq: int, payload: Payload) -> None:
        flow_id = str(payload["flow_id"])
        known = "SELECT 1 FROM flows WHERE flow_id = ?"
        if self.connection.execute(known, (flow_id,)).fetchone():
            raise FoldError(f"flow {flow_id} is booked already")
        held = {**payload, "seq": seq}
        self.connection.execute(_INSERT_FLOW, [held[name] for name in FLOWS.names])

    def _bars(self, seq: int, payload: Payload) -> None:
        series = (str(payload["symbol"]), str(payload["timeframe"]))
        tick = str(payload["tick"])
        times = [row[0] for row in payload["rows"]]
        if not times:
            return
        span = (*series, min(times), max(times))
        known: dict[int, int] = dict(
            self.connection.execute(
                "SELECT open_ms, max(version) FROM bars WHERE symbol = ? AND timeframe = ? "
                "AND open_ms BETWEEN ? AND ? GROUP BY open_ms",
                span,
            )
        )
        self.connection.executemany(
            _INSERT_BAR,
            [
                (*series, row[0], known.get(row[0], 0) + 1, *row[1:5], row[5], tick, seq)
                for row in payload["rows"]
            ],
        )

    def _blob(self, seq: int, payload: Payload) -> None:
        row = (payload["sha"], payload["kind"], payload["size"], payload["stored"], seq)
        self.connection.execute(_INSERT_BLOB, (*row, self.body_of(payload["sha"])))

    def _segment(self, _seq: int, payload: Payload) -> None:
        """The checkpoint that a new file starts with: rows carried over from the sealed one."""
        for name, rows in payload["rows"].items():
            bodies = name == BLOBS.name
            held = [[*row, self.body_of(row[0])] for row in rows] if bodies else rows
            self.connection.executemany(TABLES[name].insert(), held)
        reload_state(self.connection, self.state)


def load_state(connection: sqlite3.Connection) -> State:
    """The state as the projections hold it: the orders that folding every entry would hold.

    These are the live ones and those touched since the newest plan (a plan drops the settled).
    """
    state = State()
    for name, table in STATE_TABLES.items():
        if name != ORDERS.name:
            for row in connection.execute(f"SELECT * FROM {name}"):  # noqa: S608 - a table of ours
                state.load_row(name, dict(zip(table.names, row, strict=True)))
    for row in _orders_held(connection):
        state.load_row(ORDERS.name, order_row(row))
    state.dirty.clear()
    return state


def order_row(columns: tuple[Any, ...]) -> Row:
    """The canonical row of an order from all columns of its table (the journal's own left out)."""
    return dict(zip(ORDERS.names[:-2], columns[:-2], strict=True))


def _orders_held(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    (since,) = connection.execute("SELECT coalesce(max(seq), 0) FROM plans").fetchone()
    return connection.execute(
        f"SELECT * FROM orders WHERE {LIVE_ORDERS} "  # noqa: S608 - a constant of ours
        "UNION SELECT * FROM orders WHERE touched_seq >= ? ORDER BY placed_seq, leg, attempt",
        (since,),
    )


def reload_state(connection: sqlite3.Connection, state: State) -> None:
    """Make a State that others hold equal to the projections again, in place."""
    fresh = load_state(connection)
    for name in State.__slots__:
        setattr(state, name, getattr(fresh, name))

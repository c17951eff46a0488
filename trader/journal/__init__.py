"""The journal: the only place that speaks SQLite.

Lives here: entries and their hash chain, the projections folded from them, blobs, the head file,
segments, and the proof that all of these agree. Must not live here: what an entry means for the
account (`core.fold`), or any decision.

`Journal` is the writer and reader of a cycle; `verify`, `rebuild`, `segments` and `export` are
imported by the commands that need them.
"""

from trader.journal.codec import Entry
from trader.journal.journal import Journal
from trader.journal.writer import Transaction

__all__ = ["Entry", "Journal", "Transaction"]

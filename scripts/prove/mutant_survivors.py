"""Mutants that no test can notice, and why.

Lives here: by `module what`, the reason. They count as survivors all the same. Must not live here:
mutants that a test could notice: those need the test.
"""

from __future__ import annotations

REASONS: dict[str, str] = {}

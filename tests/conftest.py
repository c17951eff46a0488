"""What every test shares: nothing in the suite is judged by the time it takes.

Lives here: the profile of hypothesis. Must not live here: fixtures of one folder.
"""

from __future__ import annotations

from hypothesis import settings

# Examples of property tests have no deadline: the machine may be busy, or a tracer may watch.
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

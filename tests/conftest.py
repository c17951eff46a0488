"""What every test shares: nothing in the suite is judged by the time it takes.

Lives here: the profile of hypothesis, and what the suite's own start must not decide. Must not live
here: fixtures of one folder.
"""

from __future__ import annotations

import signal

from hypothesis import settings

# Examples of property tests have no deadline: the machine may be busy, or a tracer may watch.
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

# A shell without job control starts what runs in the background with Ctrl-C ignored, and every
# command that a test starts would ignore it too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

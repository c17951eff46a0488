"""A spot trader that decides once, writes first, and can prove both.

Lives here: only the switch between the compiled and the interpreted core, because it must be in
place before the first module of the core is imported.
"""

from trader.build import install

install()

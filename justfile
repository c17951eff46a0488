# Few recipes; each is one command that also works without `just`.

# What CI runs: every check.
check *arguments:
    scripts/test {{arguments}}

# The first thing a newcomer runs.
demo *arguments:
    scripts/demo {{arguments}}

# Compile the core again after an edit (only what changed).
build:
    .venv/bin/python scripts/build/core.py --require

# Lay out the sources and mend what ruff can mend.
format:
    .venv/bin/ruff check --fix .
    .venv/bin/ruff format .

# Write the three lock files again from pyproject.toml (needs uv).
lock:
    scripts/build/lock

"""Use cases, one file each, and the ports they need. Nothing here decides: `core` does."""

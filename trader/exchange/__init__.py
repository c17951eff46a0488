"""The local exchange: a loopback server that speaks a real exchange's REST dialect.

It matches orders against bars with code of its own, so that it is a second opinion on what the
trader believes. Nothing here imports the trader's core, app, journal or venues.
"""

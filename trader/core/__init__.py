"""The verbs: pure decision code, compiled ahead of time, without I/O, clock or randomness.

Nothing is imported here, so that a caller pays only for the modules it names.
"""

"""What a run needs of its host: clock, lock, latch, secrets. Small parts, each replaceable."""

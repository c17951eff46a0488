"""Bar files and a venue's klines <-> series of the core: what makes bars unusable, and by name."""

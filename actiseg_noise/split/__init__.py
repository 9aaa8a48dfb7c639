"""A noisy split on disk: while it is written, and when it is read."""

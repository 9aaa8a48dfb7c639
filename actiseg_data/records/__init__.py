"""The documents that a noisy split, a prediction or a rendered dataset carries."""

"""Compare methods, and protocols, on the same predictions."""

"""Noisy splits on disk: writing one, reading one, and checking its documents and files."""

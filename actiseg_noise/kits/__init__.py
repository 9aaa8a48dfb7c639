"""Rebuild kits: a noisy split as a recipe and digests, which the source turns into the split."""

"""Verify that a noisy split is what its recipe gives."""

"""Check a release as a stranger finds it."""

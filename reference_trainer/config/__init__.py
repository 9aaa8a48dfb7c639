"""The configuration of a run: what it is, how it is built and checked, and its file."""

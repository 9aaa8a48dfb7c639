"""Named recipes and golden digests: data, no code."""

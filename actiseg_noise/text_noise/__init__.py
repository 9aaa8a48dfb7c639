"""Text noise: what an object is called, drawn by keys from a lexicon."""

"""Text noise: replace the names of objects by names from a lexicon, drawn by keys."""

"""A benchmark of training methods: a matrix of runs from a plan, resumable, and its tables."""

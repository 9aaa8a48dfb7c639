"""The training loop, the state of a run, and its checkpoints and logs."""

"""From a split on disk to batches of tensors."""

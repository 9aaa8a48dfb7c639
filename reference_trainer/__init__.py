"""A slim trainer for action-based video object segmentation under noisy labels."""

"""Make noisy copies of splits."""

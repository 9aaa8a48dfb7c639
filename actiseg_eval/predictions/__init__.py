"""Read predictions and ground truth from disk."""

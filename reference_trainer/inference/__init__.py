"""From a trained model to predictions on disk."""

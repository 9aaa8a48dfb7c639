"""Score folders of predictions, or arrays in a training loop."""

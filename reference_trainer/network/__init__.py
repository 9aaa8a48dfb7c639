"""The slim model."""

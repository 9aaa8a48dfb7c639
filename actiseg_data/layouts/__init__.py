"""One module for each layout of annotations on disk."""

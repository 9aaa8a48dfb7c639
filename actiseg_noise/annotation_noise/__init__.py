"""Noise on raw annotations: files of polygons in, files of polygons out."""

"""Noise on the polygons of an annotation, without pixels."""

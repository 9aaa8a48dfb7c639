"""Sequences and objects, masks, polygons, the lexicon of noun classes."""

"""What an annotated clip is in memory: clips, masks, polygons, classes."""

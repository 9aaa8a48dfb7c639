"""The documents that describe a release: card, datasheet, Croissant, citations, statistics."""

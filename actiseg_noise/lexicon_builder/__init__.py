"""Build the lexicon from a list of classes and WordNet 3.0, with reviewed decisions."""

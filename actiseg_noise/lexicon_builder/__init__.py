"""How the lexicon is made: from a list of classes and WordNet 3.0, with reviewed decisions."""

"""Turn the results of all sequences into a report, and a report into tables."""

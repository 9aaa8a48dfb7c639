"""Turn the results of all clips into a report."""

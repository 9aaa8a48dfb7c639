"""The ground floor: what a dataset of annotated clips is, on disk and in memory."""

"""The ground floor: what a dataset of annotated clips is, on disk and in memory."""

__version__ = "0.1.0"

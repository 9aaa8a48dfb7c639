"""Schemas and readers of documents that noise and models leave in datasets."""

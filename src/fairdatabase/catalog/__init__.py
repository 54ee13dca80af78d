"""Datasets, versions, metadata, identifiers and access."""

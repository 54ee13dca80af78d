"""Blobs, kept and found by their checksum."""

"""Texts that accounts send."""

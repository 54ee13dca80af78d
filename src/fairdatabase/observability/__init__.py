"""Logs, correlation ids and health."""

"""The REST API under /api/v1: one document, one error mapping."""

"""The audit log in the formats of others, and in words."""

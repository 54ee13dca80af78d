"""The layout's rules as tests: they fail when code or documents leave the agreed shape."""

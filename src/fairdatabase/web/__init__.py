"""The web pages: layout, home, error pages, static files."""

"""Every question the catalogue asks its database."""

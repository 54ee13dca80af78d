"""The story of a deposit: open, add files, validate, screen, publish."""

"""The foundation every feature stands on; it never imports a feature."""

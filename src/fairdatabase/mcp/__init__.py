"""What agents may ask, by the Model Context Protocol: the tools of all features, at one address."""

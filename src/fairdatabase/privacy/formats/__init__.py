"""What leaves the house about a release: its provenance and its signed report."""

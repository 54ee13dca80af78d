"""FAIRDatabase: share tables about people FAIR, without exposing one of them."""

__version__ = "0.1.0"

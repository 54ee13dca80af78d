"""Tests: units that mirror the source, journeys over real parts, the rules of the layout."""

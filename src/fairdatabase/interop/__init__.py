"""How other machines read the catalogue."""

"""Users, sessions, tokens and roles: who is asking."""

"""Links in letters: how they are made, known again and how long they work."""

import hashlib
import secrets
from datetime import timedelta

_TOKEN_BYTES = 32
LETTERS_PER_HOUR = 5
"""Of one kind to one address: nobody floods a mailbox by asking in its owner's name."""
KEPT = timedelta(days=30)
"""How long a link that works no more is kept, so that the log of events can be understood."""
UNCONFIRMED_KEPT = timedelta(days=7)
"""How long an account waits for its owner to confirm the address before it is removed."""


def new_token() -> str:
    """Return a token of 256 random bits that fits into an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> str:
    """Return what is kept of a token; nothing slower is needed against 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()

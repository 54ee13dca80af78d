"""Ways to sign in: whatever its owner removes, one of them stays."""

from uuid import UUID

from fairdatabase.accounts.errors import LastWayInError
from fairdatabase.accounts.repository.identities import IdentityRepository
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database


class WaysIn:
    """Passwords, passkeys and identities together, seen as what opens an account.

    Args:
        database: Where they are kept.
        settings: The providers that people can sign in by.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._identities = IdentityRepository(database)
        self._issuers = tuple(provider.issuer for provider in settings.oidc_providers)

    def require(self, user_id: UUID) -> None:
        """Let a removal pass that leaves a way in; called after it, inside its transaction.

        Raises:
            LastWayInError: Nobody could sign in to the account any more.
        """
        if not self._identities.has_way_in(user_id, self._issuers):
            raise LastWayInError(
                "You could not sign in any more. Set a password, or add a passkey, first."
            )

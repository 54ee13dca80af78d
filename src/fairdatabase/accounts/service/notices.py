"""Letters about what protects an account: whoever did not change it learns that somebody did."""

from uuid import UUID

from fairdatabase.accounts.formats.letters import Change, Letters
from fairdatabase.accounts.repository.addresses import AddressRepository
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.mail.service import Mail


class Notices:
    """Writes to the owners of accounts.

    Args:
        database: Where accounts are kept.
        settings: Name and address of the instance.
        mail: Sends letters.
    """

    def __init__(self, database: Database, settings: Settings, *, mail: Mail) -> None:
        self._mail = mail
        self._letters = Letters(settings.site_name, settings.public_url)
        self._addresses = AddressRepository(database)

    def tell(self, user_id: UUID, change: Change, *, provider: str = "") -> None:
        """Tell the owner of an account what changed, inside the transaction that changes it.

        An address that nobody confirmed gets nothing: it may be a stranger's, whom somebody could
        flood with letters by changing their own account again and again.

        Args:
            user_id: Whose account it is.
            change: What changed.
            provider: Label of the other site, where it is about one.
        """
        user = self._addresses.person(user_id)
        if user and user.email_verified_at:
            self._mail.send(self._letters.changed(user.email, user.name, change, provider=provider))

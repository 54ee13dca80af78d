"""Links in letters, from being made to being used up."""

from datetime import timedelta
from uuid import UUID

from fairdatabase.accounts.errors import LinkInvalidError
from fairdatabase.accounts.models import AccountLink
from fairdatabase.accounts.repository.links import LinkRepository
from fairdatabase.accounts.rules.links import KEPT, LETTERS_PER_HOUR, hash_of, new_token
from fairdatabase.accounts.schemas import LinkPurpose
from fairdatabase.authorization.schemas import Role
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database

_HOUR = timedelta(hours=1)


class Links:
    """Makes links and knows them again; the database has their hashes alone.

    Args:
        database: Where they are kept.
        settings: The address that they begin with.
        clock: Source of the present time.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._url = settings.public_url
        self._clock = clock
        self._links = LinkRepository(database)

    def issue(
        self,
        purpose: LinkPurpose,
        email: str,
        *,
        user_id: UUID | None = None,
        roles: frozenset[Role] = frozenset(),
        invited_by: UUID | None = None,
    ) -> tuple[AccountLink, str]:
        """Make a link inside the caller's transaction; earlier ones of its kind work no more.

        Args:
            purpose: What it is for.
            email: Address that it goes to.
            user_id: Whose it is; None: an invitation.
            roles: That an invitation gives.
            invited_by: Who invites; None: the command line.

        Returns:
            Its row, and the link itself, which is kept nowhere.
        """
        now, token = self._clock(), new_token()
        self._links.end_earlier(purpose, email, user_id, now)
        link = AccountLink(
            token_hash=hash_of(token),
            purpose=purpose,
            email=email,
            user_id=user_id,
            roles=sorted(roles),
            invited_by=invited_by,
            created_at=now,
            expires_at=now + purpose.lifetime,
        )
        return self._links.add(link), f"{self._url}{purpose.path}{token}"

    def is_flooding(self, purpose: LinkPurpose, email: str) -> bool:
        """Tell whether an address was sent as many links of a kind as it is sent in an hour."""
        issued = self._links.issued_since(purpose, email, self._clock() - _HOUR)
        return issued >= LETTERS_PER_HOUR

    def look_at(self, purpose: LinkPurpose, token: str) -> AccountLink:
        """Return a link that works, without using it: programs that scan mail open links too.

        Raises:
            LinkInvalidError: It works no more, or never did.
        """
        with self._database.reading():
            return _sound(self._links.waiting(hash_of(token), purpose, self._clock()))

    def use(self, purpose: LinkPurpose, token: str) -> AccountLink:
        """Use a link up inside the caller's transaction.

        Raises:
            LinkInvalidError: It works no more, or never did.
        """
        return _sound(self._links.use(hash_of(token), purpose, self._clock()))

    def end_all(self, user_id: UUID) -> None:
        """Make all links of a user work no more, inside the caller's transaction."""
        self._links.end_all(user_id, self._clock())

    def sweep(self) -> None:
        """Remove the links that nobody will ask about any more."""
        with self._database.transaction():
            self._links.forget(self._clock() - KEPT)


def invalid_link() -> LinkInvalidError:
    """Return the one error for every link that does not work, whatever the reason."""
    return LinkInvalidError(
        "This link was used before, has expired, or is not whole. Please ask for a new letter."
    )


def _sound(link: AccountLink | None) -> AccountLink:
    if link is None:
        raise invalid_link()
    return link

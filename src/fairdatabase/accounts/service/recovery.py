"""Use cases that work by letters: confirm an address, choose a new password, change the address.

Whoever asks for a letter is answered the same for every address, after the same work: the request
enqueues a job, and the job finds out whether there is anybody to write to.
"""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from fairdatabase.accounts.errors import EmailTakenError
from fairdatabase.accounts.formats.letters import Change, Letters
from fairdatabase.accounts.models import AccountLink, User
from fairdatabase.accounts.repository import SessionRepository, UserRepository
from fairdatabase.accounts.repository.addresses import AddressRepository
from fairdatabase.accounts.rules.links import UNCONFIRMED_KEPT
from fairdatabase.accounts.rules.throttle import NOTICE_AFTER
from fairdatabase.accounts.schemas import LinkPurpose, ResetIn, VerificationIn
from fairdatabase.accounts.service.links import Links, invalid_link
from fairdatabase.accounts.service.passwords import passwords_of, require_good
from fairdatabase.accounts.service.throttle import Throttle
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require, require_user
from fairdatabase.authorization.schemas import ANONYMOUS, Action, Actor, Resource
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import AuthenticationError
from fairdatabase.mail.schemas import Letter
from fairdatabase.mail.service import Mail

VERIFICATION_JOB = "accounts.verification"
RESET_JOB = "accounts.reset"
ADDRESS_JOB = "accounts.address"
WARNING_JOB = "accounts.warning"


class Recovery:
    """What an owner gets back, or proves, by the letters that come to the address.

    Args:
        database: Where accounts and links are kept.
        settings: Cost of a password hash, name and address of the instance.
        clock: Source of the present time.
        audit: Where every act is recorded.
        jobs: Do what must not be seen in the time that an answer takes.
        mail: Sends letters.
        throttle: Counts the passwords that are tried.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        audit: Audit,
        jobs: Jobs,
        mail: Mail,
        throttle: Throttle,
    ) -> None:
        self._database = database
        self._clock = clock
        self._site = settings.site_name
        self._audit = audit
        self._jobs = jobs
        self._mail = mail
        self._throttle = throttle
        self._passwords = passwords_of(settings)
        self._letters = Letters(settings.site_name, settings.public_url)
        self._links = Links(database, settings, clock)
        self._users = UserRepository(database)
        self._sessions = SessionRepository(database)
        self._addresses = AddressRepository(database)

    def request_verification(self, email: str) -> None:
        """Have the letter that asks to confirm an address written again, if it waits for that."""
        self._jobs.enqueue(VERIFICATION_JOB, {"email": email})

    def request_reset(self, email: str) -> None:
        """Have a letter with a link to a new password written, if the address has an account."""
        self._jobs.enqueue(RESET_JOB, {"email": email})

    def request_address(self, actor: Actor, email: str) -> None:
        """Have a letter written to the address that shall become the actor's.

        Raises:
            ConfirmationRequiredError: The actor has to confirm who they are first.
        """
        require(actor, Resource.ACCOUNT, Action.PROTECT, owner_id=actor.user_id)
        user_id = require_user(actor)
        with self._database.transaction():
            self._jobs.enqueue(ADDRESS_JOB, {"user_id": str(user_id), "email": email})
            self._audit.record(actor, "user.address-requested", Resource.USER, actor.public_id)

    def write_verification(self, email: str) -> None:
        """Ask the owner of an account to confirm its address; called by the job."""
        with self._database.transaction():
            user = self._addresses.person_at(email)
            if user and user.email_verified_at is None:
                self._write(LinkPurpose.VERIFY_EMAIL, user, self._letters.verification)

    def write_reset(self, email: str) -> None:
        """Write to the owner of an account who wants a new password; called by the job."""
        self._offer_reset(email, self._letters.reset)

    def write_taken(self, email: str) -> None:
        """Tell the owner of an account that somebody wanted to register with its address."""
        self._offer_reset(email, self._letters.address_taken)

    def write_address(self, user_id: UUID, email: str) -> None:
        """Ask at a new address whether it is the user's, or tell whose it is already."""
        with self._database.transaction():
            user = self._addresses.person(user_id)
            other = self._addresses.person_at(email)
            if user is None or self._links.is_flooding(LinkPurpose.CHANGE_EMAIL, email):
                return
            link, url = self._links.issue(LinkPurpose.CHANGE_EMAIL, email, user_id=user_id)
            if not self._addresses.is_taken(email):
                self._mail.send(self._letters.change_of_address(email, user.confirmed_name, url))
            elif other:
                # The link is counted against floods and was shown to nobody.
                self._mail.send(self._letters.new_address_taken(link.email, other.confirmed_name))

    def write_warning(self, email: str) -> None:
        """Tell the owner of an account that somebody tries passwords; called by the job."""
        with self._database.transaction():
            user = self._addresses.person_at(email)
            if user is None:
                return
            self._audit.record(
                ANONYMOUS,
                "user.sign-in-slowed",
                Resource.USER,
                user.public_id,
                after={"failures": NOTICE_AFTER},
            )
            self._mail.send(
                self._letters.sign_ins_failing(email, user.confirmed_name, NOTICE_AFTER)
            )

    def look_at(self, purpose: LinkPurpose, token: str) -> str:
        """Return the address that a link was sent to, without using the link.

        Raises:
            LinkInvalidError: It works no more.
        """
        return self._links.look_at(purpose, token).email

    def verify(self, actor: Actor, verification: VerificationIn) -> str:
        """Confirm an address, and return it.

        The letter alone is not enough: who registered with another person's address, and knows
        the password, must not get it confirmed by that person's curiosity.

        Raises:
            LinkInvalidError: The link works no more.
            AuthenticationError: Neither is the owner signed in nor is the password right.
            RateLimitError: Too many wrong passwords were tried.
        """
        token = verification.token.get_secret_value()
        with self._database.reading():
            link = self._links.look_at(LinkPurpose.VERIFY_EMAIL, token)
            user = self._owner(link)
        if actor.user_id != user.id:
            password = verification.password
            self._require_password(user, password.get_secret_value() if password else "")
        with self._database.transaction():
            self._links.use(LinkPurpose.VERIFY_EMAIL, token)
            self._addresses.confirm(user.id, self._clock())
            self._record(user, "user.address-confirmed")
        return user.email

    def reset(self, reset: ResetIn) -> None:
        """Set a new password; it ends all sessions, all other links and every wait.

        Raises:
            LinkInvalidError: The link works no more.
            ValidationError: The password is not good enough.
        """
        token, password = reset.token.get_secret_value(), reset.password.get_secret_value()
        with self._database.reading():
            user = self._owner(self._links.look_at(LinkPurpose.RESET_PASSWORD, token))
        require_good(password, name=user.name, email=user.email, site=self._site)
        password_hash = self._passwords.hash(password)
        now = self._clock()
        with self._database.transaction():
            self._links.use(LinkPurpose.RESET_PASSWORD, token)
            self._users.set_password_hash(user.id, password_hash)
            self._sessions.revoke_all(user.id, now, reason="password changed")
            self._addresses.confirm(user.id, now)
            self._throttle.clear(user.email)
            self._record(user, "user.password-changed")
            self._mail.send(self._letters.changed(user.email, user.confirmed_name, Change.PASSWORD))

    def change_address(self, token: str) -> str:
        """Give an account the address that a link was sent to, and return it.

        Raises:
            LinkInvalidError: The link works no more.
            EmailTakenError: Another account has the address by now.
        """
        now = self._clock()
        try:
            with self._database.transaction():
                link = self._links.use(LinkPurpose.CHANGE_EMAIL, token)
                user = self._addresses.person(link.user_id)
                if user is None:
                    raise invalid_link()
                old = user.email
                self._addresses.change(user.id, link.email, now)
                self._links.end_all(user.id)
                self._record(user, "user.address-changed")
                self._mail.send(self._letters.address_changed(old, user.confirmed_name))
        except IntegrityError:
            raise EmailTakenError("Another account has this address by now.") from None
        return link.email

    def sweep(self) -> None:
        """Remove old links, old counts of failures, and accounts that nobody confirmed."""
        self._throttle.sweep()
        with self._database.transaction():
            self._addresses.remove_unconfirmed(self._clock() - UNCONFIRMED_KEPT)
        self._links.sweep()

    def _offer_reset(self, email: str, letter: Callable[[str, str, str], Letter]) -> None:
        with self._database.transaction():
            user = self._addresses.person_at(email)
            if user:
                name = user.confirmed_name
                self._write(
                    LinkPurpose.RESET_PASSWORD, user, lambda to, link: letter(to, name, link)
                )

    def _write(
        self, purpose: LinkPurpose, user: User, letter: Callable[[str, str], Letter]
    ) -> None:
        """Send a user a link, unless their mailbox has had enough of them this hour."""
        if self._links.is_flooding(purpose, user.email):
            return
        _, url = self._links.issue(purpose, user.email, user_id=user.id)
        self._mail.send(letter(user.email, url))

    def _owner(self, link: AccountLink) -> User:
        """Return whose link it is, unless it went to another address than the present one."""
        user = self._addresses.person(link.user_id)
        if user is None or user.email != link.email:
            raise invalid_link()
        return user

    def _require_password(self, user: User, password: str) -> None:
        self._throttle.attempt(user.email)
        if not self._passwords.verify(user.password_hash, password):
            raise AuthenticationError("The password is not right.")
        self._throttle.clear(user.email)

    def _record(self, user: User, action: str) -> None:
        owner = Actor(user_id=user.id, public_id=user.public_id)
        self._audit.record(owner, action, Resource.USER, user.public_id)

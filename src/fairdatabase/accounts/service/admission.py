"""Use cases of getting an account: register, invite, accept an invitation.

Registering does not tell whether an address has an account. Where addresses are confirmed, the
request does the same work for every address (it checks and hashes the password and enqueues a
job), and all that differs happens in the job: the account is made and its owner asked to confirm
it, or the owner of the account that was there is told.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from fairdatabase.accounts.errors import EmailTakenError
from fairdatabase.accounts.formats.letters import Letters
from fairdatabase.accounts.models import AccountLink, User, UserRole
from fairdatabase.accounts.repository import UserRepository
from fairdatabase.accounts.repository.addresses import AddressRepository
from fairdatabase.accounts.repository.links import LinkRepository
from fairdatabase.accounts.schemas import (
    AcceptanceIn,
    InvitationIn,
    InvitationRecord,
    LinkPurpose,
    Registration,
)
from fairdatabase.accounts.service.consents import Consents
from fairdatabase.accounts.service.links import Links, invalid_link
from fairdatabase.accounts.service.passwords import passwords_of, require_good
from fairdatabase.accounts.service.recovery import Recovery
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.rules import require
from fairdatabase.authorization.schemas import ANONYMOUS, OPERATOR, Action, Actor, Resource, Role
from fairdatabase.jobs.service import Jobs
from fairdatabase.kernel.clock import Clock
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import NotFoundError, PermissionDeniedError
from fairdatabase.kernel.identifiers import new_uuid
from fairdatabase.mail.service import Mail

REGISTRATION_JOB = "accounts.register"


class Admission:
    """Ways to an account.

    Args:
        database: Where accounts and invitations are kept.
        settings: Whether registration is open, and whether addresses are confirmed.
        clock: Source of the present time.
        audit: Where every act is recorded.
        jobs: Do what must not be seen in the time that an answer takes.
        mail: Sends letters.
        recovery: Writes the letters to those who have an account.
        consents: What people agree to.
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
        recovery: Recovery,
        consents: Consents,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._audit = audit
        self._jobs = jobs
        self._mail = mail
        self._recovery = recovery
        self._consents = consents
        self._passwords = passwords_of(settings)
        self._links = Links(database, settings, clock)
        self._letters = Letters(settings.site_name, settings.public_url)
        self._users = UserRepository(database)
        self._addresses = AddressRepository(database)
        self._invitations = LinkRepository(database)

    def register(self, registration: Registration) -> None:
        """Have an account made for whoever asks, as a member, and a letter written.

        Raises:
            PermissionDeniedError: This instance does not let people register.
            ValidationError: The password is not good enough.
        """
        if not self._settings.registration_open:
            raise PermissionDeniedError("Registration is closed here. Please ask an admin.")
        password = registration.password.get_secret_value()
        self._require_good(password, name=registration.name, email=registration.email)
        self._consents.require_terms(accepted=registration.accepted_terms)
        application = {
            "user_id": str(new_uuid()),
            "name": registration.name,
            "email": registration.email,
            "password_hash": self._passwords.hash(password),
        }
        if self._settings.verifies_email:
            self._jobs.enqueue(REGISTRATION_JOB, application)
        else:
            self.admit(application)

    def admit(self, application: Mapping[str, Any]) -> None:
        """Make the account that was asked for, or tell the owner of the one that is there.

        May be called again for the same application.
        """
        user_id, email = UUID(application["user_id"]), str(application["email"])
        try:
            with self._database.transaction():
                if self._users.get(user_id):
                    return
                user = self._user(user_id, application["name"], email, application["password_hash"])
                self._add(user, frozenset({Role.MEMBER}), by=ANONYMOUS)
                self._consents.note(user.id, user.public_id)
                self._recovery.write_verification(email)
        except IntegrityError:
            self._recovery.write_taken(email)

    def invite(self, actor: Actor, invitation: InvitationIn) -> InvitationRecord:
        """Send somebody a link to an account with given roles; an earlier one works no more.

        Raises:
            PermissionDeniedError: The actor is no admin.
            EmailTakenError: There is an account with this address.
        """
        require(actor, Resource.INVITATION, Action.CREATE)
        with self._database.transaction():
            link, url = self._issue(actor, invitation)
            self._mail.send(self._letters.invitation(invitation.email, actor_name(actor), url))
        return _record(link)

    def invitation_link(self, actor: Actor, invitation: InvitationIn) -> str:
        """Return the link of an invitation instead of sending it, for the command line.

        Raises:
            PermissionDeniedError: The actor is no admin.
            EmailTakenError: There is an account with this address.
        """
        require(actor, Resource.INVITATION, Action.CREATE)
        with self._database.transaction():
            return self._issue(actor, invitation)[1]

    def list_invitations(self, actor: Actor) -> list[InvitationRecord]:
        """Return the invitations that wait, the newest first.

        Raises:
            PermissionDeniedError: The actor is no admin.
        """
        require(actor, Resource.INVITATION, Action.LIST)
        with self._database.reading():
            return [_record(link) for link in self._invitations.invitations(self._clock())]

    def revoke_invitation(self, actor: Actor, public_id: str) -> None:
        """Make an invitation work no more.

        Raises:
            PermissionDeniedError: The actor is no admin.
            NotFoundError: There is none that waits.
        """
        require(actor, Resource.INVITATION, Action.REVOKE)
        with self._database.transaction():
            link = self._invitations.end_invitation(public_id, self._clock())
            if link is None:
                raise NotFoundError(f"There is no invitation {public_id} that waits.")
            self._audit.record(actor, "invitation.revoked", Resource.INVITATION, public_id)

    def invitation(self, token: str) -> InvitationRecord:
        """Return an invitation without using it, for whoever holds its link.

        Raises:
            LinkInvalidError: It works no more.
        """
        with self._database.reading():
            return _record(self._sound(self._links.look_at(LinkPurpose.INVITATION, token)))

    def accept(self, acceptance: AcceptanceIn) -> str:
        """Make the account that somebody was invited to, and return its address.

        Raises:
            LinkInvalidError: The invitation works no more.
            ValidationError: The password is not good enough.
            EmailTakenError: There is an account with this address by now.
        """
        token = acceptance.token.get_secret_value()
        password = acceptance.password.get_secret_value()
        email = self.invitation(token).email
        self._require_good(password, name=acceptance.name, email=email)
        self._consents.require_terms(accepted=acceptance.accepted_terms)
        password_hash = self._passwords.hash(password)
        try:
            with self._database.transaction():
                link = self._sound(self._links.use(LinkPurpose.INVITATION, token))
                user = self._user(new_uuid(), acceptance.name, email, password_hash)
                user.email_verified_at = self._clock()
                self._add(user, frozenset(map(Role, link.roles)), by=ANONYMOUS)
                self._consents.note(user.id, user.public_id)
                self._audit.record(
                    Actor(user_id=user.id, public_id=user.public_id),
                    "invitation.accepted",
                    Resource.INVITATION,
                    link.public_id,
                )
        except IntegrityError:
            raise _taken() from None
        return email

    def _issue(self, actor: Actor, invitation: InvitationIn) -> tuple[AccountLink, str]:
        if self._addresses.is_taken(invitation.email):
            raise _taken()
        link, url = self._links.issue(
            LinkPurpose.INVITATION,
            invitation.email,
            roles=invitation.roles,
            invited_by=None if actor is OPERATOR else actor.user_id,
        )
        after = {"roles": sorted(invitation.roles)}
        self._audit.record(
            actor, "invitation.created", Resource.INVITATION, link.public_id, after=after
        )
        return link, url

    def _sound(self, link: AccountLink) -> AccountLink:
        """Return an invitation unless who sent it is no admin any more."""
        if link.invited_by is not None and not self._addresses.is_active_admin(link.invited_by):
            raise invalid_link()
        return link

    def _user(self, user_id: UUID, name: str, email: str, password_hash: str) -> User:
        return User(
            id=user_id,
            name=name,
            email=email,
            password_hash=password_hash,
            created_at=self._clock(),
        )

    def _add(self, user: User, roles: frozenset[Role], *, by: Actor) -> None:
        user.roles = [UserRole(role=role) for role in sorted(roles)]
        self._users.add(user)
        after = {"roles": sorted(roles)}
        self._audit.record(by, "user.created", Resource.USER, user.public_id, after=after)

    def _require_good(self, password: str, *, name: str, email: str) -> None:
        require_good(password, name=name, email=email, site=self._settings.site_name)


def actor_name(actor: Actor) -> str:
    """Return who invites, as a person is told; a command line has no name."""
    return "" if actor is OPERATOR else actor.name


def _record(link: AccountLink) -> InvitationRecord:
    return InvitationRecord(
        public_id=link.public_id,
        email=link.email,
        roles=tuple(Role(role) for role in link.roles),
        created_at=link.created_at,
        expires_at=link.expires_at,
    )


def _taken() -> EmailTakenError:
    message = "There is an account with this e-mail address already."
    return EmailTakenError(message, details=[{"field": "email", "message": message}])

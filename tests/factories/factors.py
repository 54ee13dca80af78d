"""Accounts with second factors, and the apps that show their codes."""

from dataclasses import dataclass, replace
from datetime import datetime

import pyotp
from pydantic import SecretStr

from fairdatabase.accounts.schemas import Credentials, Grant
from fairdatabase.accounts.schemas.sessions import Device
from fairdatabase.authorization.schemas import Actor
from fairdatabase.services import Services
from tests.factories.accounts import PASSWORD

LAPTOP = Device(user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", network="192.0.2.0/24")


def sign_in(services: Services, actor: Actor, password: str = PASSWORD) -> Grant:
    """Sign a user in by password."""
    credentials = Credentials(email=actor.email, password=SecretStr(password))
    return services.accounts.sign_in(credentials, device=LAPTOP)


def unconfirmed(actor: Actor) -> Actor:
    """Return the same person a long time after they proved who they are."""
    return replace(actor, confirmed=False)


@dataclass(frozen=True)
class App:
    """An authenticator app."""

    secret: str
    recovery_codes: tuple[str, ...]

    def code(self, moment: datetime) -> str:
        """Return what the app shows at a moment."""
        return pyotp.TOTP(self.secret).at(moment)


def with_app(services: Services, actor: Actor, moment: datetime) -> App:
    """Turn two-step sign-in on; the code of the moment is used up by it."""
    secret = services.factors.enrol(actor).secret
    first = pyotp.TOTP(secret).at(moment)
    return App(secret, services.factors.activate(actor, first).recovery_codes)

"""A provider that lies, and what we believe of it."""

from collections.abc import Callable, Iterator

import pytest

from fairdatabase.accounts.backends.oidc import Exchange, OidcProvider
from fairdatabase.accounts.backends.outgoing import OutgoingTransport
from fairdatabase.accounts.schemas.identities import ProvenIdentity, ProviderAnswer
from fairdatabase.kernel.clock import utc_now
from tests.factories.providers import HostileProvider, answer_of, hostile_provider

Ask = Callable[..., ProvenIdentity]
EXCHANGE = Exchange(
    redirect_uri="https://data.example.org/answer",
    state="a state",
    nonce="a nonce",
    verifier="v" * 64,
)


@pytest.fixture
def shady() -> Iterator[HostileProvider]:
    with hostile_provider() as provider:
        yield provider


@pytest.fixture
def ask(shady: HostileProvider) -> Ask:
    """``ask()`` is who the provider says it is, or what we say to that."""

    def ask(**settings: object) -> ProvenIdentity:
        transport = OutgoingTransport(loopback=True, seconds=2)
        site = OidcProvider(shady.settings(**settings), transport, utc_now)
        back = shady.answer_to(site.address(EXCHANGE))
        return site.identify(ProviderAnswer.model_validate(answer_of(back)), EXCHANGE)

    return ask

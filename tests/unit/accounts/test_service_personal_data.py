"""What has no account has no personal data; without terms nobody agrees to any."""

from uuid import uuid4

import pytest

from fairdatabase.authorization.schemas import OPERATOR
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.services import Services


def test_who_has_no_account_has_no_copy(services: Services) -> None:
    with pytest.raises(NotFoundError, match="There is no user"):
        services.personal_data.export(OPERATOR)
    with pytest.raises(NotFoundError, match=r"nobody@example\.org"):
        services.personal_data.export_of("nobody@example.org")


def test_without_terms_nothing_is_noted(services: Services) -> None:
    user_id = uuid4()
    services.consents.require_terms(accepted=False)
    services.consents.note(user_id, "5k9z2m4xqvb")
    assert services.consents.of_user(user_id) == ()

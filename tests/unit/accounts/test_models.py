"""Rules that hold both for an object and in SQL."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from fairdatabase.accounts.models import User
from fairdatabase.kernel.database import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("disabled_at", [None, NOON])
def test_an_account_is_active_in_python_and_in_sql(
    database: Database, disabled_at: datetime | None
) -> None:
    user = User(
        email="a@example.org", name="A", password_hash="-", created_at=NOON, disabled_at=disabled_at
    )
    with database.transaction() as session:
        session.add(user)
        session.flush()
        in_sql = session.scalars(select(User).where(User.is_active)).all()
    assert user.is_active == (disabled_at is None)
    assert (user in in_sql) == user.is_active

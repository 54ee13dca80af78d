"""Registering, and managing users and their roles."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from fairdatabase.accounts.errors import EmailTakenError, LastAdminError
from fairdatabase.accounts.models import User
from fairdatabase.accounts.schemas import Credentials, UserQuery
from fairdatabase.accounts.service import Accounts
from fairdatabase.authorization.schemas import ANONYMOUS, Actor, Role
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    ValidationError,
)
from fairdatabase.kernel.identifiers import is_public_id
from tests.factories.accounts import PASSWORD, make_actor, registration
from tests.factories.kernel import ManualClock, recorded_statements

MEMBER = frozenset({Role.MEMBER})


def disable(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        session.execute(
            update(User).where(User.id == actor.user_id).values(disabled_at=User.created_at)
        )


def test_a_user_is_made_with_roles(accounts: Accounts, clock: ManualClock) -> None:
    wanted = registration(name=" Ada Lovelace ", email="Ada@Example.org")
    user = accounts.create_user(wanted, roles=MEMBER)
    assert is_public_id(user.public_id)
    assert (user.name, user.email, user.roles) == ("Ada Lovelace", "ada@example.org", ("member",))
    assert (user.is_active, user.created_at, user.last_login_at) == (True, clock.now, None)


def test_a_password_is_stored_as_argon2id(accounts: Accounts, database: Database) -> None:
    accounts.create_user(registration(), roles=MEMBER)
    with database.reading() as session:
        stored = session.scalars(select(User.password_hash)).one()
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_an_address_has_one_account(accounts: Accounts) -> None:
    accounts.create_user(registration(email="ada@example.org"), roles=MEMBER)
    with pytest.raises(EmailTakenError) as error:
        accounts.create_user(registration(email="ADA@example.org"), roles=MEMBER)
    assert error.value.details == [{"field": "email", "message": error.value.message}]


def test_a_password_with_ones_own_name_is_refused(accounts: Accounts) -> None:
    wanted = registration(name="Rosalind F", password="rosalind's password")
    with pytest.raises(ValidationError) as error:
        accounts.create_user(wanted, roles=MEMBER)
    assert error.value.details == [{"field": "password", "message": error.value.message}]


def test_the_command_line_sets_a_password_by_the_same_rules(accounts: Accounts) -> None:
    make_actor(accounts, name="Mary Anning", email="mary@example.org")
    with pytest.raises(ValidationError):
        accounts.set_password("mary@example.org", "short")
    with pytest.raises(ValidationError):
        accounts.set_password("mary@example.org", "anning and anning")
    with pytest.raises(NotFoundError, match=r"nobody@example\.org"):
        accounts.set_password("nobody@example.org", "an entirely new phrase")


def test_the_command_line_acts_for_an_active_user(accounts: Accounts, database: Database) -> None:
    actor = make_actor(accounts, Role.ADMIN, Role.MEMBER, email="ada@example.org")
    assert actor == accounts.actor_by_email("ADA@example.org")
    assert actor.roles == {Role.ADMIN, Role.MEMBER}
    assert actor.session_id is None
    disable(database, actor)
    with pytest.raises(NotFoundError, match="no active user"):
        accounts.actor_by_email("ada@example.org")


def test_who_may_see_a_user(accounts: Accounts) -> None:
    member, other = make_actor(accounts, name="Mary"), make_actor(accounts)
    curator, admin = make_actor(accounts, Role.CURATOR), make_actor(accounts, Role.ADMIN)
    for viewer in (member, curator, admin):
        assert accounts.get_user(viewer, member.public_id).name == "Mary"
    with pytest.raises(NotFoundError) as hidden:
        accounts.get_user(other, member.public_id)
    with pytest.raises(NotFoundError) as absent:
        accounts.get_user(other, "00000000000")
    assert hidden.value.message.replace(member.public_id, "") == absent.value.message.replace(
        "00000000000", ""
    )
    with pytest.raises(AuthenticationError):
        accounts.get_user(ANONYMOUS, member.public_id)


def test_curators_list_all_and_members_themselves(accounts: Accounts) -> None:
    mary = make_actor(accounts, name="mary")
    make_actor(accounts, name="Zora")
    curator = make_actor(accounts, Role.CURATOR, name="Ada")
    page = accounts.list_users(curator, UserQuery())
    assert [user.name for user in page.users] == ["Ada", "mary", "Zora"]
    own = accounts.list_users(mary, UserQuery())
    assert ([user.public_id for user in own.users], own.total) == ([mary.public_id], 1)
    assert accounts.list_users(mary, UserQuery(search="zora")).total == 0
    with pytest.raises(AuthenticationError):
        accounts.list_users(ANONYMOUS, UserQuery())


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ANNING", ["Mary Anning"]),
        ("@fossils", ["Mary Anning"]),
        ("100%", ["100% Sure"]),
        ("%", ["100% Sure"]),
        ("_", []),
        ("nobody", []),
        ("", ["100% Sure", "Mary Anning"]),
    ],
)
def test_search_finds_parts_of_names_and_addresses(
    accounts: Accounts, search: str, found: list[str]
) -> None:
    make_actor(accounts, name="Mary Anning", email="mary@fossils.example.org")
    admin = make_actor(accounts, Role.ADMIN, name="100% Sure")
    page = accounts.list_users(admin, UserQuery(search=search))
    assert [user.name for user in page.users] == found
    assert page.total == len(found)


@pytest.mark.parametrize("size", [1, 3, 12])
def test_a_page_of_any_size_costs_three_statements(
    accounts: Accounts, database: Database, size: int
) -> None:
    for _ in range(12):
        make_actor(accounts, Role.MEMBER, Role.CURATOR)
    admin = make_actor(accounts, Role.ADMIN, name="AAA")
    with recorded_statements(database) as statements:
        page = accounts.list_users(admin, UserQuery(page=1, per_page=size))
    assert len(statements) == 3
    assert (len(page.users), page.total) == (size, 13)
    assert page.users[0].roles == ("admin",)


def test_pages_do_not_overlap(accounts: Accounts) -> None:
    admin = make_actor(accounts, Role.ADMIN)
    for _ in range(4):
        make_actor(accounts)
    pages = [accounts.list_users(admin, UserQuery(page=n, per_page=2)).users for n in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert len({user.public_id for page in pages for user in page}) == 5


def test_an_admin_changes_roles(accounts: Accounts) -> None:
    admin, member = make_actor(accounts, Role.ADMIN), make_actor(accounts)
    wanted = frozenset({Role.CURATOR, Role.MEMBER})
    changed = accounts.change_roles(admin, member.public_id, wanted)
    assert changed.roles == ("curator", "member")
    assert accounts.get_user(member, member.public_id) == changed
    reduced = accounts.change_roles(admin, member.public_id, frozenset({Role.CURATOR}))
    assert reduced.roles == ("curator",)
    with pytest.raises(NotFoundError):
        accounts.change_roles(admin, "00000000000", MEMBER)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.CURATOR])
def test_nobody_else_changes_roles(accounts: Accounts, role: Role) -> None:
    actor = make_actor(accounts, role)
    with pytest.raises(PermissionDeniedError):
        accounts.change_roles(actor, actor.public_id, frozenset({Role.ADMIN}))
    with pytest.raises(AuthenticationError):
        accounts.change_roles(ANONYMOUS, actor.public_id, MEMBER)


def test_the_last_active_admin_stays(accounts: Accounts, database: Database) -> None:
    admin, second = make_actor(accounts, Role.ADMIN), make_actor(accounts, Role.ADMIN)
    disable(database, second)
    with pytest.raises(LastAdminError, match="Make somebody else"):
        accounts.change_roles(admin, admin.public_id, MEMBER)
    both = accounts.change_roles(admin, admin.public_id, MEMBER | {Role.ADMIN})
    assert both.roles == ("admin", "member")
    assert accounts.change_roles(admin, second.public_id, MEMBER).roles == ("member",)


def test_two_admins_cannot_depose_each_other_at_once(accounts: Accounts) -> None:
    one, two = make_actor(accounts, Role.ADMIN), make_actor(accounts, Role.ADMIN)

    def depose(pair: tuple[Actor, Actor]) -> bool:
        try:
            return bool(accounts.change_roles(pair[0], pair[1].public_id, MEMBER))
        except LastAdminError:
            return False

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(depose, [(one, two), (two, one)]))
    assert sorted(done) == [False, True]


def test_statistics_count_users(accounts: Accounts, database: Database, clock: ManualClock) -> None:
    make_actor(accounts, email="old@example.org")
    disable(database, make_actor(accounts))
    clock.advance(days=40)
    admin = make_actor(accounts, Role.ADMIN, Role.MEMBER)
    curator = make_actor(accounts, Role.CURATOR)
    accounts.sign_in(Credentials(email="old@example.org", password=SecretStr(PASSWORD)))
    clock.now += timedelta(days=1)
    with recorded_statements(database) as statements:
        numbers = accounts.statistics(curator)
    assert len(statements) == 2
    assert (numbers.total, numbers.active) == (4, 3)
    assert (numbers.new_this_month, numbers.seen_this_month) == (2, 1)
    assert numbers.by_role == {"member": 3, "curator": 1, "admin": 1, "service": 0}
    assert accounts.statistics(admin) == numbers


def test_statistics_are_not_for_everybody(accounts: Accounts) -> None:
    with pytest.raises(PermissionDeniedError):
        accounts.statistics(make_actor(accounts))
    with pytest.raises(AuthenticationError):
        accounts.statistics(ANONYMOUS)

"""Events are recorded with what they record, or not at all; no change of them goes unnoticed."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from fairdatabase.audit.models import AuditEvent, AuditHead
from fairdatabase.audit.rules import FIRST_HASH
from fairdatabase.audit.schemas import (
    AuditExportQuery,
    AuditFilters,
    AuditQuery,
    ExportFormat,
    Head,
)
from fairdatabase.audit.service import Audit
from fairdatabase.authorization.errors import ConfirmationRequiredError
from fairdatabase.authorization.schemas import ANONYMOUS, OPERATOR, Actor, Resource
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.database import Database
from fairdatabase.kernel.errors import PermissionDeniedError
from tests.factories.kernel import ManualClock

NOBODY = UUID(int=0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def audit(database: Database, settings: Settings, clock: ManualClock) -> Audit:
    return Audit(database, settings, clock)


@pytest.fixture
def chain(audit: Audit, database: Database) -> Audit:
    """A chain of ten events."""
    for number in range(1, 11):
        with database.transaction():
            audit.record(
                OPERATOR, "user.created", Resource.USER, f"u{number}", after={"roles": ["member"]}
            )
    return audit


def events(database: Database) -> list[AuditEvent]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)))


def tamper(database: Database, *statements: str) -> None:
    """Change the log as somebody could who owns the database."""
    sqlite = ["update", "delete", "replace"]
    with database.transaction() as session:
        if database.is_sqlite:
            for name in sqlite:
                session.execute(text(f"DROP TRIGGER audit_events_refuse_{name}"))
        else:
            session.execute(text("ALTER TABLE audit_events DISABLE TRIGGER USER"))
        for statement in statements:
            session.execute(text(statement))


def test_each_event_names_the_one_before(audit: Audit, database: Database) -> None:
    with database.transaction():
        audit.record(OPERATOR, "user.created", Resource.USER, "abc", after={"roles": ["member"]})
        audit.record(ANONYMOUS, "user.sign-in-failed", Resource.USER, "abc")
    with database.transaction():
        audit.record(OPERATOR, "user.disabled", Resource.USER, "abc")
    first, second, third = events(database)
    assert [each.sequence for each in (first, second, third)] == [1, 2, 3]
    assert first.previous_hash == FIRST_HASH
    assert second.previous_hash == first.hash
    assert third.previous_hash == second.hash
    assert first.after == {"roles": ["member"]}
    assert first.actor == "command line"
    assert second.actor == ""


def test_what_is_undone_leaves_no_event(audit: Audit, database: Database) -> None:
    class OopsError(Exception):
        pass

    with pytest.raises(OopsError), database.transaction():
        audit.record(OPERATOR, "user.created", Resource.USER, "abc")
        raise OopsError
    assert events(database) == []


def test_an_event_needs_the_transaction_of_its_act(audit: Audit) -> None:
    with pytest.raises(RuntimeError, match="before_commit"):
        audit.record(OPERATOR, "user.created", Resource.USER, "abc")


@pytest.mark.parametrize(
    "value",
    [1.0, 1e30, float("nan"), "a\0b", "\ud800", {1: {"x", "y"}}, "é\u2028", 2**70, True, None],
    ids=["1.0", "large", "nan", "nul", "surrogate", "set", "separator", "2**70", "true", "none"],
)
def test_whatever_is_recorded_still_holds_when_it_is_read(
    audit: Audit, database: Database, value: object
) -> None:
    with database.transaction():
        audit.record(OPERATOR, "user.created", Resource.USER, "x" * 100, after={"value": value})
    assert audit.verify().fault is None


def test_an_event_is_one_line_of_the_log_after_the_commit(
    audit: Audit, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="fairdatabase.audit")
    with database.transaction():
        audit.record(OPERATOR, "user.created", Resource.USER, "abc")
        assert not caplog.records
    (line,) = caplog.records
    assert line.name == "fairdatabase.audit"
    assert vars(line)["action"] == "user.created"
    assert vars(line)["sequence"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET actor = 'somebody else' WHERE sequence = 5",
        "DELETE FROM audit_events WHERE sequence = 5",
        "DELETE FROM audit_events",
    ],
)
def test_the_database_refuses_to_change_events(
    chain: Audit, database: Database, statement: str
) -> None:
    with pytest.raises(DatabaseError, match="never changed"), database.transaction() as session:
        session.execute(text(statement))
    assert chain.verify().events == 10


def test_the_database_refuses_the_ways_around(chain: Audit, database: Database) -> None:
    way = "TRUNCATE audit_events"
    if database.is_sqlite:
        way = "REPLACE INTO audit_events SELECT * FROM audit_events WHERE sequence = 5"
    with pytest.raises(DatabaseError, match="never changed"), database.transaction() as session:
        session.execute(text(way))
    assert chain.verify().events == 10


COPY = (
    "INSERT INTO audit_events SELECT {sequence}, at, actor, action, subject_type, subject,"
    " request_id, before, after, previous_hash, hash, token FROM audit_events"
    " WHERE sequence = {source}"
)


@pytest.mark.parametrize(
    ("statements", "sequence", "reason"),
    [
        (["UPDATE audit_events SET actor = 'eve' WHERE sequence = 5"], 5, "changed"),
        (["UPDATE audit_events SET after = '{}' WHERE sequence = 1"], 1, "changed"),
        (["UPDATE audit_events SET request_id = 'x' WHERE sequence = 10"], 10, "changed"),
        (["UPDATE audit_events SET token = 'x' WHERE sequence = 9"], 9, "changed"),
        (["DELETE FROM audit_events WHERE sequence = 5"], 5, "missing"),
        (["DELETE FROM audit_events WHERE sequence IN (4, 5)"], 4, "missing"),
        (["DELETE FROM audit_events WHERE sequence = 1"], 1, "missing"),
        (["DELETE FROM audit_events WHERE sequence > 7"], 8, "truncated"),
        (["DELETE FROM audit_events"], 1, "truncated"),
        ([COPY.format(sequence=11, source=10)], 11, "added"),
        (
            [
                COPY.format(sequence=11, source=3),
                "UPDATE audit_heads SET sequence = 11",
            ],
            11,
            "reordered",
        ),
        (
            [
                "UPDATE audit_events SET sequence = 99 WHERE sequence = 5",
                "UPDATE audit_events SET sequence = 5 WHERE sequence = 6",
                "UPDATE audit_events SET sequence = 6 WHERE sequence = 99",
            ],
            5,
            "reordered",
        ),
        (["DELETE FROM audit_heads"], 1, "added"),
        (["UPDATE audit_heads SET sequence = 9"], 9, "changed"),
        (["UPDATE audit_heads SET hash = 'ffff'"], 10, "changed"),
    ],
)
def test_whatever_is_done_to_the_chain_is_found(
    chain: Audit, database: Database, statements: list[str], sequence: int, reason: str
) -> None:
    tamper(database, *statements)
    fault = chain.verify().fault
    assert fault is not None
    assert (fault.sequence, fault.reason) == (sequence, reason)
    assert str(sequence if reason != "truncated" else sequence - 1) in fault.message


def test_an_end_that_was_noted_elsewhere_is_looked_for(chain: Audit, database: Database) -> None:
    noted = chain.verify().head
    assert chain.verify(expect=noted).fault is None
    with database.reading() as session:
        seventh = session.get_one(AuditEvent, 7).hash
    tamper(database, "DELETE FROM audit_events WHERE sequence > 7")
    with database.transaction() as session:
        session.execute(update(AuditHead).values(sequence=7, hash=seventh))
    assert chain.verify().fault is None
    fault = chain.verify(expect=noted).fault
    assert fault is not None
    assert fault.reason == "truncated"
    forged = chain.verify(expect=Head(sequence=3, hash="0" * 64)).fault
    assert forged is not None
    assert forged.reason == "changed"


def test_a_chain_of_another_key_does_not_hold(
    chain: Audit, database: Database, settings: Settings
) -> None:
    other = Audit(database, settings.model_copy(update=_other_secrets(settings)), ManualClock())
    fault = other.verify().fault
    assert fault is not None
    assert fault.sequence == 1


def _other_secrets(settings: Settings) -> dict[str, object]:
    secret = type(settings.secret_key)
    names = {"secret_key", "data_key"} & set(type(settings).model_fields)
    return {name: secret("another" * 8) for name in names}


def test_a_long_chain_is_walked_in_pieces(
    chain: Audit, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr("fairdatabase.audit.service._BATCH", 3)
    found = chain.verify()
    assert (found.events, found.head.sequence, found.fault) == (10, 10, None)
    assert chain.verify(newest=4).fault is None
    tamper(database, "UPDATE audit_events SET actor = 'eve' WHERE sequence = 5")
    broken = chain.verify()
    assert broken.events == 4
    assert chain.verify(newest=4).fault is None, "what lies before is believed"
    assert chain.verify(newest=7).fault is not None


def test_writers_at_the_same_time_make_one_chain(audit: Audit, database: Database) -> None:
    writers, each = 4, 8
    ready, errors = Barrier(writers), []

    def write(number: int) -> None:
        ready.wait()
        try:
            for turn in range(each):
                with database.transaction():
                    audit.record(OPERATOR, "user.created", Resource.USER, f"{number}-{turn}")
        except Exception as error:  # noqa: BLE001 - told to the test
            errors.append(error)

    threads = [Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    found = audit.verify()
    assert (found.events, found.fault) == (writers * each, None)


def test_looking_again_and_again_is_one_event(audit: Audit, database: Database) -> None:
    reader = Actor(user_id=OPERATOR.user_id, public_id="reader")
    for file in ("a", "a", "b", "a"):
        audit.note(reader, "dataset.data-read", Resource.DATASET, "v1", after={"file": file})
    assert [each.after for each in events(database)] == [{"file": "a"}, {"file": "b"}]


def test_only_who_is_signed_in_is_noted_as_denied(audit: Audit, database: Database) -> None:
    audit.note_denial(ANONYMOUS, "catalog_api.content")
    assert events(database) == []
    member = Actor(user_id=OPERATOR.user_id, public_id="member")
    audit.note_denial(member, "accounts_api.change_roles")
    audit.note_denial(member, "accounts_api.change_roles")
    (denied,) = events(database)
    assert (denied.actor, denied.action) == ("member", "access.denied")
    assert denied.after == {"route": "accounts_api.change_roles"}


def test_a_log_that_cannot_be_written_does_not_hide_the_refusal(
    audit: Audit, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with database.transaction() as session:
        session.execute(text("ALTER TABLE audit_heads RENAME TO mislaid"))
    try:
        audit.note_denial(Actor(user_id=OPERATOR.user_id, public_id="member"), "somewhere")
    finally:
        with database.transaction() as session:
            session.execute(text("ALTER TABLE mislaid RENAME TO audit_heads"))
    assert "could not be recorded" in caplog.text


@pytest.fixture
def log(audit: Audit, database: Database, clock: ManualClock) -> Audit:
    """Six events of two accounts, a day apart."""
    for number in range(6):
        with database.transaction():
            actor = Actor(public_id=f"account{number % 2}") if number < 5 else ANONYMOUS
            act = "dataset.created" if number < 3 else "user.signed-in"
            audit.record(actor, act, Resource.DATASET, f"thing{number // 2}")
        clock.advance(days=1)
    return audit


@pytest.mark.parametrize(
    ("asked", "sequences"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"actor": "account1"}, [4, 2]),
        ({"actor": "anonymous"}, [6]),
        ({"action": "dataset."}, [3, 2, 1]),
        ({"action": "dataset%"}, []),
        ({"subject": "thing1"}, [4, 3]),
        ({"actor": "account0", "action": "user"}, [5]),
    ],
)
def test_events_are_found(log: Audit, asked: dict[str, str], sequences: list[int]) -> None:
    page = log.list_events(OPERATOR, AuditQuery.model_validate(asked))
    assert [event.sequence for event in page.events] == sequences
    assert page.head.sequence == 6
    assert page.next is None


def test_events_are_found_by_their_time(log: Audit) -> None:
    start = ManualClock().now
    query = AuditQuery(since=start + timedelta(days=2), until=start + timedelta(days=4))
    assert [each.sequence for each in log.list_events(OPERATOR, query).events] == [4, 3]


def test_pages_follow_each_other(log: Audit) -> None:
    seen, before = [], None
    while True:
        page = log.list_events(OPERATOR, AuditQuery(limit=2, before=before))
        seen += [event.sequence for event in page.events]
        before = page.next
        if before is None:
            break
    assert seen == [6, 5, 4, 3, 2, 1]


def test_an_empty_log_holds(audit: Audit) -> None:
    page = audit.list_events(OPERATOR, AuditQuery())
    assert page.events == ()
    assert page.head == Head(sequence=0, hash=FIRST_HASH)
    assert audit.verify().fault is None


def test_the_log_is_for_admins_who_confirm_an_export(log: Audit) -> None:
    member = Actor(user_id=OPERATOR.user_id, public_id="member", confirmed=True)
    for forbidden in (
        lambda: log.list_events(member, AuditQuery()),
        lambda: log.check_end(member),
        lambda: log.export(member, AuditExportQuery()),
    ):
        with pytest.raises(PermissionDeniedError):
            forbidden()
    with pytest.raises(ConfirmationRequiredError):
        log.export(replace(OPERATOR, confirmed=False), AuditExportQuery())
    assert log.check_end(OPERATOR).fault is None


def test_an_export_is_an_event_and_holds_what_matches(log: Audit) -> None:
    query = AuditExportQuery(actor="account1", format=ExportFormat.JSON_LINES)
    made = log.export(OPERATOR, query)
    lines = [json.loads(line) for line in b"".join(made.chunks).splitlines()]
    assert [line["sequence"] for line in lines] == [2, 4]
    assert made.name.startswith("audit-2026-03-")
    (event, *_) = log.list_events(OPERATOR, AuditQuery(limit=1)).events
    assert event.action == "audit.exported"
    assert event.after == {"actor": "account1"}


def test_an_account_has_its_events(log: Audit) -> None:
    assert [event.sequence for event in log.of_account(NOBODY, "account1")] == [2, 4]
    assert [event.sequence for event in log.of_account(NOBODY, "thing1")] == [3, 4]


def test_the_end_is_one_row(chain: Audit, database: Database) -> None:
    with database.reading() as session:
        (head,) = session.scalars(select(AuditHead)).all()
    assert head.sequence == 10
    assert AuditFilters() == AuditFilters(actor="")

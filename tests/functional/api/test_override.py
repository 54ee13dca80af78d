"""A curator may take a risk that was measured, says why, and everybody can read it."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from fairdatabase.accounts.models import Session
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.kernel.database import Database
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import ROLES, cohort, harmless
from tests.factories.deposits import Work, ok, open_deposit, screened, upload
from tests.factories.web import Browser

REASON = "All participants are historical persons who died before 1850."
RISKY = ROLES | {"subject_id": "insensitive"}


@pytest.fixture
def risky(client_as: ClientAs, work: Work) -> str:
    """A deposit whose table has groups that are too small."""
    deposit, _ = screened(client_as(Role.MEMBER), work, cohort(), RISKY)
    return deposit


def override(client: FlaskClient, deposit: str, reason: str = REASON) -> Any:  # noqa: ANN401
    return client.post(f"/api/v1/deposits/{deposit}/override", json={"reason": reason})


def test_a_curator_decides_and_everybody_can_read_why(
    client: FlaskClient, client_as: ClientAs, risky: str, curator: Actor
) -> None:
    sloane, admin = client_as(Role.CURATOR), client_as(Role.ADMIN)
    deposit = ok(sloane.get(f"/api/v1/deposits/{risky}"))
    assert all(blocker["overridable"] for blocker in deposit["blockers"])
    made = ok(override(sloane, risky), 201)
    assert made["override_reason"] == REASON
    assert ok(client.get(f"/api/v1/datasets/{risky}"))["override_reason"] == REASON
    page = client.get(f"/datasets/{risky}").text
    assert REASON in page
    assert "decision of a curator" in page
    assert "a curator decided to publish it" in page
    query = {"subject": risky, "action": "dataset.published"}
    (event,) = ok(admin.get("/api/v1/audit", query_string=query))
    assert event["actor"] == curator.public_id
    assert event["after"]["override"]["reason"] == REASON
    assert "groups smaller than" in event["after"]["override"]["against"][0]


def test_the_owner_may_not(client_as: ClientAs, risky: str) -> None:
    assert override(client_as(Role.MEMBER), risky).status_code == 403


def test_a_curator_has_to_confirm_it(client_as: ClientAs, risky: str, database: Database) -> None:
    sloane = client_as(Role.CURATOR)
    with database.transaction() as session:
        session.execute(update(Session).values(confirmed_at=None))
    answer = override(sloane, risky)
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "confirmation-required"


@pytest.mark.parametrize("reason", ["", "because", " " * 30])
def test_a_reason_is_given(client_as: ClientAs, risky: str, reason: str) -> None:
    assert override(client_as(Role.CURATOR), risky, reason).status_code == 422


def test_what_was_not_measured_stays_in_the_way(client_as: ClientAs, work: Work) -> None:
    deposit = open_deposit(client_as(Role.MEMBER))
    upload(client_as(Role.MEMBER), deposit, harmless())
    work()
    answer = override(client_as(Role.CURATOR), deposit)
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "not-publishable"


def test_what_passes_is_published_without_a_decision(client_as: ClientAs, work: Work) -> None:
    roles = {"sex": "quasi_identifier", "arm": "insensitive", "score": "insensitive"}
    deposit, _ = screened(client_as(Role.MEMBER), work, harmless(), roles)
    assert ok(override(client_as(Role.CURATOR), deposit), 201)["override_reason"] is None


def test_the_page_has_the_form_for_curators_alone(
    app: Flask, risky: str, curator: Actor, member: Actor
) -> None:
    owner, sloane = Browser(app), Browser(app)
    owner.sign_in(member)
    sloane.sign_in(curator)
    review = f"/deposits/{risky}/review"
    assert "Publish nevertheless" not in owner.get(review).text
    assert "Publish nevertheless" in sloane.get(review).text
    short = sloane.submit(f"/deposits/{risky}/override", form_at=review, reason="because")
    assert short.status_code == 422
    assert "at least 20 characters" in short.text
    done = sloane.submit(f"/deposits/{risky}/override", form_at=review, reason=REASON)
    assert done.headers["Location"] == f"/datasets/{risky}"
    assert REASON in sloane.get(f"/datasets/{risky}").text


def test_the_page_says_what_else_is_in_the_way(
    app: Flask, curator: Actor, client_as: ClientAs
) -> None:
    deposit = open_deposit(client_as(Role.MEMBER))
    sloane = Browser(app)
    sloane.sign_in(curator)
    page = sloane.submit(
        f"/deposits/{deposit}/override", form_at=f"/deposits/{deposit}/review", reason=REASON
    )
    assert page.status_code == 422

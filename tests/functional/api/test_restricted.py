"""What leaves the house of a restricted dataset, and what does not."""

from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import ROLES, cohort
from tests.factories.deposits import Work, ok, published


def test_the_schema_is_open_and_the_rows_that_were_left_out_are_not(
    client: FlaskClient, stranger: FlaskClient, client_as: ClientAs, work: Work
) -> None:
    owner = client_as(Role.MEMBER)
    content = cohort() + b"S9999,41,female,Utrecht,IBD,2.5,Marie Curie called\n"
    _, file = published(owner, work, content, ROLES, access="restricted")

    for curious in (client, stranger):
        answer = curious.get(f"/api/v1/files/{file}/table")
        assert [column["name"] for column in ok(answer)["columns"]] == list(ROLES)
        assert b"Curie" not in answer.data

    (left_out,) = ok(owner.get(f"/api/v1/files/{file}/table"))["report"]["rejected"]
    assert "Marie Curie called" in left_out["value"]


def test_the_refusal_says_who_may_read(
    client: FlaskClient, stranger: FlaskClient, client_as: ClientAs, work: Work
) -> None:
    _, file = published(client_as(Role.MEMBER), work, cohort(), ROLES, access="restricted")
    for curious, status in ((client, 401), (stranger, 403)):
        answer = curious.get(f"/api/v1/files/{file}/rows")
        assert answer.status_code == status
        assert "only its owner and the curators may read" in answer.get_json()["detail"].lower()

"""Jobs over REST."""

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs


def test_the_owner_sees_how_far_the_job_is(
    services: Services, member: Actor, client_as: ClientAs
) -> None:
    job = services.jobs.enqueue("read", {"private": 1}, owner_id=member.user_id)
    answer = client_as(Role.MEMBER).get(f"/api/v1/jobs/{job.public_id}")
    assert answer.status_code == 200
    assert answer.json
    data = answer.json["data"]
    assert (data["public_id"], data["kind"]) == (job.public_id, "read")
    assert (data["state"], data["progress"]) == ("queued", 0.0)
    assert not {"id", "owner_id", "subject_id", "payload", "correlation_id"} & set(data)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("role", [Role.CURATOR, Role.ADMIN])
def test_curators_see_all_jobs(
    services: Services, member: Actor, client_as: ClientAs, role: Role
) -> None:
    job = services.jobs.enqueue("read", {}, owner_id=member.user_id)
    assert client_as(role).get(f"/api/v1/jobs/{job.public_id}").status_code == 200


def test_others_do_not_learn_that_the_job_exists(
    services: Services, curator: Actor, client_as: ClientAs, client: FlaskClient
) -> None:
    job = services.jobs.enqueue("read", {}, owner_id=curator.user_id)
    real = client_as(Role.MEMBER).get(f"/api/v1/jobs/{job.public_id}")
    made_up = client_as(Role.MEMBER).get("/api/v1/jobs/00000000000")
    anonymous = client.get(f"/api/v1/jobs/{job.public_id}")
    assert [real.status_code, made_up.status_code, anonymous.status_code] == [404, 404, 401]
    assert real.json
    assert made_up.json
    assert real.json["code"] == made_up.json["code"]

"""Jobs over REST: how far is my work."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import Field

from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success
from fairdatabase.kernel.records import Closed

api = APIBlueprint(
    "jobs_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="jobs", description="Work that outlives a request")],
    abp_security=[{"bearer": []}, {"cookie": []}],
    abp_responses=problems(401, 404, 422),
)


class JobPath(Closed):
    """Which job."""

    public_id: str = Field(max_length=64, description="Public id of the job.")


@api.get("/jobs/<public_id>", responses={200: Success[JobRecord]})
def get_job(path: JobPath) -> Response:
    """State, progress and error of one of your jobs; curators may see everybody's."""
    job = services().jobs.get(actor(), path.public_id)
    return success(job, headers={"Cache-Control": "no-store"})


@api.delete("/jobs/<public_id>", responses={200: Success[JobRecord], **problems(403, 409)})
def cancel(path: JobPath) -> Response:
    """Cancel one of your jobs that waits or runs; what it has not finished leaves nothing."""
    return success(services().jobs.cancel(actor(), path.public_id))

"""Health over HTTP, for load balancers and monitors: no sign-in, no limits."""

from http import HTTPStatus

from flask import Response, g
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.kernel.current import services
from fairdatabase.kernel.extensions import limiter
from fairdatabase.kernel.http import Success, problem, problems, success
from fairdatabase.observability.health import HealthReport

api = APIBlueprint(
    "observability_api",
    __name__,
    url_prefix="/health",
    abp_tags=[Tag(name="health", description="Whether this instance works")],
)


@api.get("/live", responses={200: Success[None]})
@limiter.exempt
def live() -> Response:
    """Whether the process answers; it need not be able to do anything else."""
    return success(None, headers={"Cache-Control": "no-store"})


@api.get("/ready", responses=problems(503) | {200: Success[HealthReport]})
@limiter.exempt
def ready() -> Response:
    """Whether every part that requests need is ready, each by its name."""
    report = services().health.report()
    headers = {"Cache-Control": "no-store"}
    if report.ready:
        return success(report, headers=headers)
    return problem(
        "unavailable",
        "Not ready",
        f"Not ready: {', '.join(part.name for part in report.parts if not part.ready)}.",
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        details=report,
        request_id=g.get("request_id"),
        headers=headers,
    )

"""Privacy over REST: role suggestions, verdicts, recipes and releases."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic_core import to_json

from fairdatabase.catalog.schemas import CommunityPath, DatasetPath, DepositPath, FilePath
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.extensions import caller, limiter
from fairdatabase.kernel.http import Success, attachment, problems, success
from fairdatabase.kernel.records import Closed, PageMeta
from fairdatabase.privacy.formats.provenance import MEDIA_TYPE as PROVENANCE
from fairdatabase.privacy.schemas import (
    GroupPage,
    Recipe,
    ReleaseRecord,
    RoleSuggestion,
)
from fairdatabase.privacy.schemas.details import GroupsQuery, ModelsQuery, RiskModels
from fairdatabase.privacy.schemas.keys import KeyVersion, Relinked, RelinkIn
from fairdatabase.privacy.schemas.policies import (
    CommunityPolicyRecord,
    PolicyIn,
    PolicyRecord,
)
from fairdatabase.privacy.schemas.reports import ReportQuery
from fairdatabase.privacy.schemas.screenings import ScreeningRecord
from fairdatabase.privacy.service.reports import MEDIA_TYPES
from fairdatabase.tables.schemas import TableKind

api = APIBlueprint(
    "privacy_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="privacy", description="Re-identification risk and anonymised releases")],
    abp_security=[{"bearer": []}, {"cookie": []}],
    abp_responses=problems(401, 403, 404, 409, 410, 422),
)
well_known = APIBlueprint(
    "well_known_api",
    __name__,
    url_prefix="/.well-known/fairdatabase",
    abp_tags=[Tag(name="privacy", description="Re-identification risk and anonymised releases")],
)
_KEYS = "application/jwk-set+json"
_KEY_SET = {"description": "The keys.", "content": {_KEYS: {}}}
_REPORT = {
    "description": "The report.",
    "content": {media_type: {} for media_type in MEDIA_TYPES.values()},
}
_PROVENANCE = {"description": "The provenance.", "content": {PROVENANCE: {}}}


class ScreeningQuery(Closed):
    """Which table of the file."""

    kind: TableKind | None = None


@api.get("/files/<file_id>/role-suggestions", responses={200: Success[list[RoleSuggestion]]})
def role_suggestions(path: FilePath) -> Response:
    """What each column probably means for privacy, with evidence; to be confirmed by you."""
    return success(services().privacy.suggest_roles(actor(), path.file_id))


@api.get("/files/<file_id>/screening", responses={200: Success[ScreeningRecord]})
def screening(path: FilePath, query: ScreeningQuery) -> Response:
    """The verdict on the table, with every measure behind it."""
    return success(services().privacy.screening(actor(), path.file_id, query.kind))


@api.get("/files/<file_id>/groups", responses={200: Success[GroupPage]})
def groups(path: FilePath, query: GroupsQuery) -> Response:
    """Groups of rows that cannot be told apart, smallest first, for who looks after the data."""
    found = services().details.groups(actor(), path.file_id, query)
    meta = PageMeta(page=query.page, per_page=query.per_page, total=found.total)
    return success(found, meta=meta)


@api.get("/files/<file_id>/risk-models", responses={200: Success[RiskModels], **problems(413)})
def risk_models(path: FilePath, query: ModelsQuery) -> Response:
    """The risk by alpha, beta, delta, few columns, sampling, population and taxa, in words too."""
    return success(services().details.models(actor(), path.file_id, query))


@api.get("/files/<file_id>/recipe-suggestion", responses={200: Success[Recipe]})
def recipe_suggestion(path: FilePath) -> Response:
    """A recipe that should make the table pass the policy."""
    return success(services().privacy.suggest_recipe(actor(), path.file_id))


@api.get("/files/<file_id>/release", responses={200: Success[ReleaseRecord | None]})
def recipe(path: FilePath) -> Response:
    """The recipe of the file's anonymised release, and what it did."""
    return success(services().privacy.recipe(actor(), path.file_id))


@api.post("/files/<file_id>/release", responses={202: Success[JobRecord]})
def apply_recipe(path: FilePath, body: Recipe) -> Response:
    """Make an anonymised release by a recipe; a job does it and measures the result."""
    job = services().privacy.request_release(actor(), path.file_id, body)
    return success(job, status=202)


@api.delete("/files/<file_id>/release", responses={200: Success[None]})
def discard_release(path: FilePath) -> Response:
    """Throw the release away and go back to the source table."""
    services().privacy.discard_release(actor(), path.file_id)
    return success(None)


@api.get("/files/<file_id>/release/provenance", responses={200: _PROVENANCE})
def provenance(path: FilePath) -> Response:
    """Where the release comes from, as PROV-JSON: file, table, recipe, release, by SHA-256."""
    found = services().privacy.provenance(actor(), path.file_id)
    return Response(to_json(found), content_type=PROVENANCE)


@api.post("/files/<file_id>/relink", responses={200: Success[list[Relinked]], **problems(429)})
@limiter.limit("20 per hour", key_func=caller)
def relink(path: FilePath, body: RelinkIn) -> Response:
    """The pseudonyms of original values, for the owner after confirmation; never the way back."""
    return success(services().pseudonyms.relink(actor(), path.file_id, body))


@api.get("/datasets/<dataset_id>/pseudonym-keys", responses={200: Success[list[KeyVersion]]})
def key_versions(path: DatasetPath) -> Response:
    """The versions of the key that pseudonyms are made with; the keys are shown to nobody."""
    return success(services().pseudonyms.versions(actor(), path.dataset_id))


@api.post(
    "/datasets/<dataset_id>/pseudonym-keys",
    responses={201: Success[KeyVersion]},
)
def rotate_key(path: DatasetPath) -> Response:
    """Give the dataset a new key, after confirmation; releases from now on are made with it."""
    return success(services().pseudonyms.rotate(actor(), path.dataset_id), status=201)


@api.get("/deposits/<deposit_id>/privacy-policy", responses={200: Success[PolicyRecord]})
def policy(path: DepositPath) -> Response:
    """What the tables of a draft have to fulfil, and who asks it."""
    return success(services().policies.show(actor(), path.deposit_id))


@api.put("/deposits/<deposit_id>/privacy-policy", responses={200: Success[PolicyRecord]})
def set_policy(path: DepositPath, body: PolicyIn) -> Response:
    """Ask more of the tables of a draft's dataset than the instance does, never less."""
    return success(services().policies.set(actor(), path.deposit_id, body))


@api.get("/communities/<slug>/privacy-policy", responses={200: Success[CommunityPolicyRecord]})
def community_policy(path: CommunityPath) -> Response:
    """What the tables of a community's datasets have to fulfil."""
    return success(services().policies.show_community(path.slug))


@api.put("/communities/<slug>/privacy-policy", responses={200: Success[CommunityPolicyRecord]})
def set_community_policy(path: CommunityPath, body: PolicyIn) -> Response:
    """Ask more of a community's tables than the instance does, as a curator; never less."""
    return success(services().policies.set_community(actor(), path.slug, body))


@api.get("/files/<file_id>/risk-report", responses={200: _REPORT})
def risk_report(path: FilePath, query: ReportQuery) -> Response:
    """The signed report on a file's tables: measures, recipe, verdict and checksums."""
    found = services().reports.write(actor(), path.file_id, query.format)
    return attachment([found.content], found.name, found.media_type, made_here=True)


@well_known.get("/report-keys.json", responses={200: _KEY_SET})
def report_keys() -> Response:
    """The public key that reports are signed with, as a JSON Web Key Set."""
    return Response(to_json(services().reports.public_keys()), content_type=_KEYS)

"""The OpenAPI document and its reader: ``/api/openapi.json`` and ``/api/docs``, both offline."""

from importlib.resources import files
from typing import Any, NoReturn, cast

from flask import Blueprint, Response, current_app, g, jsonify, render_template, request
from flask import send_from_directory as send
from flask_openapi3 import Info, License, OpenAPI
from pydantic import ValidationError as PydanticValidationError
from werkzeug.exceptions import BadRequest

from fairdatabase import __version__
from fairdatabase.accounts.authentication import cookie_prefix
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.http import Problem, WholeTextJson, problems
from fairdatabase.kernel.records import invalid_input

_DESCRIPTION = """\
Everything the web pages do, for programs. Answers are
`{"status": "success", "data": ..., "meta": ..., "timestamp": ...}`; errors are RFC 9457 problem
documents. Unknown fields and parameters are refused. Sign in at `POST /api/v1/auth/login` and send
the access token as `Authorization: Bearer <token>`."""
_VIEWER = str(files("flask_openapi3_swagger") / "templates" / "swagger")
_WHOLE_BODY = {"model_type", "model_attributes_type"}
_DAY = 86_400

_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_OF_BODIES = {
    "400": {"description": "Bad Request", "content": _PROBLEM},
    "413": {"description": "Request Entity Too Large", "content": _PROBLEM},
}

docs = Blueprint("docs", __name__, url_prefix="/api")


class _Application(OpenAPI):
    """Documents the refusal of input where there is any, and nowhere else.

    422 is what an operation says itself. A body that is not what it is declared to be (400), or
    that is too large (413), is refused before an operation sees it.
    """

    json_provider_class = WholeTextJson

    def generate_spec_json(self) -> None:
        """Make the document."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for item in self.spec_json["paths"].values():
            for operation in item.values():
                if _is_added(operation["responses"][self.validation_error_status]):
                    del operation["responses"][self.validation_error_status]
                if "requestBody" in operation:
                    operation["responses"] = _OF_BODIES | operation["responses"]


def _is_added(response: dict[str, Any]) -> bool:
    """Tell whether the library documented this answer by itself, as an array of errors."""
    return any(media["schema"].get("type") == "array" for media in response["content"].values())


def create_openapi(import_name: str, settings: Settings, **flask_options: Any) -> OpenAPI:  # noqa: ANN401
    """Return the Flask application that collects the document from the edges mounted on it."""
    return _Application(
        import_name,
        info=Info(
            title=f"{settings.site_name} API",
            version=__version__,
            description=_DESCRIPTION,
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
        ),
        security_schemes={
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "The access token from `POST /api/v1/auth/login`.",
            },
            "cookie": {
                "type": "apiKey",
                "in": "cookie",
                "name": f"{cookie_prefix(settings)}access",
                "description": "Set by the sign-in page. Requests that change something also"
                " send the page's CSRF token in the header `X-CSRF-TOKEN`.",
            },
        },
        responses=problems(422),
        doc_ui=False,
        validation_error_model=Problem,
        validation_error_callback=_refuse,
        **flask_options,
    )


def _refuse(error: PydanticValidationError) -> NoReturn:
    """Raise the platform's error, or what is wrong with a body that is no JSON object."""
    if error.error_count() == 1:
        (only,) = error.errors(include_url=False, include_context=False, include_input=False)
        if only["type"] in _WHOLE_BODY and not only["loc"]:
            _require_json()
    raise invalid_input(error)


def _require_json() -> None:
    try:
        request.get_json()
    except BadRequest:
        raise BadRequest("The body is not valid JSON.") from None


@docs.get("/openapi.json")
def document() -> Response:
    """Answer with the OpenAPI 3.1 document."""
    return jsonify(cast("OpenAPI", current_app).api_doc)


@docs.get("/docs")
def reader() -> str:
    """Show the document."""
    g.trusted_types = ("default", "dompurify")
    return render_template("api/docs.html")


@docs.get('/docs/<any("swagger-ui.css", "swagger-ui-bundle.js"):name>')
def viewer_file(name: str) -> Response:
    """Send a file of the viewer, from the installed package."""
    folder = name.rpartition(".")[2]
    return send(_VIEWER, f"{folder}/{name}", max_age=_DAY)

"""What holds for every answer: headers, origins, the document and its reader."""

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from openapi_spec_validator import validate

from fairdatabase.app import create_app
from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.http import apart_paths


@pytest.mark.parametrize(
    "path", ["/api/v1/auth/me", "/api/openapi.json", "/api/docs", "/nowhere", "/health/live"]
)
def test_every_answer_is_secured(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Permitted-Cross-Domain-Policies"] == "none"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    assert set(headers["Vary"].split(", ")) >= {"Authorization", "Cookie"}


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("js/app.js?v=1", "public, max-age=31536000, immutable"),
        ("fonts/inter-5.3.0-latin.woff2", "public, max-age=31536000, immutable"),
        ("js/jobs.js", "no-cache"),
    ],
)
def test_only_what_changes_its_address_is_kept_for_good(
    client: FlaskClient, path: str, policy: str
) -> None:
    with client.get(f"/static/{path}") as file:
        assert (file.status_code, file.headers["Cache-Control"]) == (200, policy)
    missing = client.get("/static/js/nothing.js?v=1")
    assert (missing.status_code, missing.headers.get("Cache-Control")) == (404, None)


def test_what_hashes_passwords_is_computed_apart(app: OpenAPI) -> None:
    paths = apart_paths(app)
    assert {"/api/v1/auth/login", "/api/v1/auth/register", "/sign-in", "/register"} <= paths
    assert "/api/v1/datasets" not in paths


def test_the_document_is_openapi(client: FlaskClient) -> None:
    document = client.get("/api/openapi.json").get_json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "FAIRDatabase API"
    assert set(document["components"]["securitySchemes"]) == {"bearer", "cookie"}
    me = document["paths"]["/api/v1/auth/me"]["get"]
    assert me["security"] == [{"bearer": []}, {"cookie": []}]
    assert "401" in me["responses"]
    assert "security" not in document["paths"]["/api/v1/auth/login"]["post"]


def test_the_reader_comes_from_here_alone(client: FlaskClient) -> None:
    page = client.get("/api/docs").text
    assert 'data-url="/api/openapi.json"' in page
    assert "http:" not in page
    assert "https:" not in page
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        with client.get(f"/api/docs/{name}") as file:
            assert file.status_code == 200
            assert int(file.headers["Content-Length"]) > 10_000
    assert client.get("/api/docs/../../pyproject.toml").status_code == 404


def test_the_reader_is_only_for_what_is_listed(client: FlaskClient) -> None:
    assert client.get("/api/docs/swagger-ui-standalone-preset.js").status_code == 404


def test_settings_are_read_when_none_are_given(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRDATABASE_INSTANCE_PATH", str(settings.instance_path))
    monkeypatch.setenv("FAIRDATABASE_SITE_NAME", "From the environment")
    for name in ("secret_key", "jwt_secret_key", "data_key", "pseudonym_key"):
        monkeypatch.setenv(f"FAIRDATABASE_{name.upper()}", "s" * 64)
    app: OpenAPI = create_app()
    assert app.info.title == "From the environment API"
    assert create_app(settings).info.title == "FAIRDatabase API"

"""The application: its table of contents."""

from flask import Flask
from flask_openapi3 import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from fairdatabase.accounts.api import api as accounts_api
from fairdatabase.accounts.api.confirmation import api as confirmation_api
from fairdatabase.accounts.api.factors import api as factors_api
from fairdatabase.accounts.api.identities import api as identities_api
from fairdatabase.accounts.api.personal import api as personal_api
from fairdatabase.accounts.api.recovery import api as recovery_api
from fairdatabase.accounts.api.sessions import api as sessions_api
from fairdatabase.accounts.api.tokens import api as tokens_api
from fairdatabase.accounts.authentication import init_authentication
from fairdatabase.accounts.pages import pages as accounts_pages
from fairdatabase.accounts.pages.confirmation import pages as confirmation_pages
from fairdatabase.accounts.pages.identities import pages as identity_pages
from fairdatabase.accounts.pages.personal import pages as personal_pages
from fairdatabase.accounts.pages.recovery import pages as recovery_pages
from fairdatabase.accounts.pages.security import pages as security_pages
from fairdatabase.api.openapi import create_openapi, docs
from fairdatabase.api.problems import register_problems
from fairdatabase.audit.api import api as audit_api
from fairdatabase.audit.pages import pages as audit_pages
from fairdatabase.authorization.rules.routes import ROUTES
from fairdatabase.catalog.api import api as catalog_api
from fairdatabase.catalog.api.communities import api as communities_api
from fairdatabase.catalog.pages import pages as catalog_pages
from fairdatabase.catalog.pages.communities import pages as communities_pages
from fairdatabase.deposits.api import api as deposits_api
from fairdatabase.deposits.pages import pages as deposits_pages
from fairdatabase.interop.api import api as interop_api
from fairdatabase.interop.pages import pages as interop_pages
from fairdatabase.jobs.api import api as jobs_api
from fairdatabase.kernel.config import Settings, load_settings
from fairdatabase.kernel.current import SERVICES_KEY
from fairdatabase.kernel.extensions import limiter
from fairdatabase.kernel.http import LimitedRequest
from fairdatabase.knowledge.api import api as knowledge_api
from fairdatabase.knowledge.pages import pages as knowledge_pages
from fairdatabase.mail.pages import pages as mail_pages
from fairdatabase.mcp.api import api as mcp_api
from fairdatabase.observability.api import api as health_api
from fairdatabase.observability.tracing import init_tracing
from fairdatabase.privacy.api import api as privacy_api
from fairdatabase.privacy.api import well_known as well_known_api
from fairdatabase.privacy.api.recipes import api as recipes_api
from fairdatabase.privacy.pages import pages as privacy_pages
from fairdatabase.services import Services, build_services
from fairdatabase.tables.api import api as tables_api
from fairdatabase.tables.pages import pages as tables_pages
from fairdatabase.web.error_pages import error_page
from fairdatabase.web.headers import init_headers, init_hosts, init_origins
from fairdatabase.web.pages import pages as web_pages
from fairdatabase.web.templating import init_templates

APIS = (
    accounts_api,
    personal_api,
    recovery_api,
    identities_api,
    confirmation_api,
    factors_api,
    sessions_api,
    tokens_api,
    catalog_api,
    communities_api,
    interop_api,
    tables_api,
    privacy_api,
    recipes_api,
    well_known_api,
    deposits_api,
    knowledge_api,
    jobs_api,
    audit_api,
    health_api,
)
PAGES = (
    docs,
    web_pages,
    accounts_pages,
    personal_pages,
    recovery_pages,
    identity_pages,
    confirmation_pages,
    security_pages,
    catalog_pages,
    communities_pages,
    privacy_pages,
    interop_pages,
    tables_pages,
    deposits_pages,
    knowledge_pages,
    audit_pages,
)


def create_app(settings: Settings | None = None, services: Services | None = None) -> OpenAPI:
    """Build the WSGI application.

    Args:
        settings: Of this instance; read from the environment by default.
        services: Built already, by tests and by processes that are more than a web server.
    """
    services = services or build_services(settings or load_settings())
    settings = services.settings
    app = create_openapi(
        "fairdatabase", settings, static_folder="web/static", template_folder="web/templates"
    )
    app.extensions[SERVICES_KEY] = services
    init_tracing(app)
    _configure(app, settings)
    init_headers(app, settings)
    init_authentication(app, settings)
    init_hosts(app, settings)
    init_templates(app, settings)
    limiter.init_app(app)
    if settings.cors_origins:
        init_origins(app, settings)
    register_problems(app, error_page)
    for api in APIS:
        app.register_api(api)
    for pages in PAGES:
        app.register_blueprint(pages)
    app.register_blueprint(mcp_api)
    if settings.environment == "development" and settings.is_local:
        # They hold links that open any account, so they are nobody else's to read.
        app.register_blueprint(mail_pages)
    _require_rules(app)
    return app


def _require_rules(app: Flask) -> None:
    """Stop a route from being served that nobody decided who may use."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    if missing := sorted(endpoints - ROUTES.keys()):
        message = f"no rule in authorization.rules.routes for: {', '.join(missing)}"
        raise RuntimeError(message)


def _configure(app: Flask, settings: Settings) -> None:
    app.request_class = LimitedRequest
    # Two slashes are not one: a redirect that corrects them is made from the host of the request.
    app.url_map.merge_slashes = False
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SECRET_KEY_FALLBACKS=[
            key.secret.get_secret_value() for key in settings.retired_secret_keys
        ],
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=settings.max_form_bytes,
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

"""Pages that belong to no single feature: home, about, dashboard."""

from flask import Blueprint, render_template

from fairdatabase.authorization.rules import may, rules_of
from fairdatabase.authorization.schemas import Action, Party, Resource
from fairdatabase.catalog.schemas import SearchQuery
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import NotFoundError
from fairdatabase.kernel.http import kind_of_code
from fairdatabase.kernel.records import PageQuery

pages = Blueprint("web", __name__)
_LATEST = PageQuery(per_page=5)


@pages.get("/")
def home() -> str:
    """Show what the platform is for, and what came in last."""
    found = services().catalog.search(SearchQuery(sort="newest", per_page=5))
    return render_template("home.html", found=found)


@pages.get("/about")
def about() -> str:
    """Explain the words that are used for privacy."""
    return render_template("about.html")


@pages.get("/privacy")
def privacy() -> str:
    """Say what is kept about people, why, for how long, and what they may ask for."""
    return render_template("privacy.html", settings=services().settings)


@pages.get("/permissions")
def permissions() -> str:
    """Say who may do what, by the table that decides."""
    rules = {resource: rules_of(resource) for resource in Resource}
    return render_template("permissions.html", rules=rules, parties=tuple(Party))


@pages.get("/problems/<code>")
def problem(code: str) -> str:
    """Explain a kind of problem; the ``type`` of an error document leads here."""
    kind = kind_of_code(code)
    if kind is None:
        raise NotFoundError("There is no kind of problem with this code.")
    return render_template("problem.html", kind=kind)


@pages.get("/dashboard")
def dashboard() -> str:
    """Show the actor's work, the platform's figures, and to curators those of its users."""
    who = actor()
    sees_users = may(who, Resource.USER, Action.STATISTICS)
    drafts, draft_total = services().deposits.drafts(who, _LATEST)
    published, published_total = services().catalog.my_publications(who, _LATEST)
    return render_template(
        "dashboard.html",
        drafts=drafts,
        published=published,
        mine=[("Published versions", published_total), ("Drafts", draft_total)],
        found=services().catalog.search(SearchQuery(per_page=1)),
        users=services().accounts.statistics(who) if sees_users else None,
    )

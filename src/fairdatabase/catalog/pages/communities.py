"""Pages of communities."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, render_template
from flask.typing import ResponseReturnValue

from fairdatabase.catalog.schemas import CommunityEdit, CommunityIn, SearchQuery
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import ConflictError
from fairdatabase.kernel.forms import Form, see

pages = Blueprint("communities_pages", __name__)
_NEWEST = 10


@pages.get("/communities")
def community_list() -> str:
    """List the communities."""
    return render_template("catalog/communities.html", communities=services().communities.all())


@pages.get("/communities/<slug>")
def community(slug: str) -> str:
    """Show a community, what it asks of tables, and its newest datasets."""
    found = services().communities.get(slug)
    newest = SearchQuery(community=slug, sort="newest", per_page=_NEWEST)
    return render_template(
        "catalog/community.html",
        community=found,
        policy=services().policies.show_community(slug).policy,
        found=services().catalog.search(newest),
    )


@pages.get("/communities/new")
def new() -> str:
    """Ask what a new community is called."""
    return _form(Form())


@pages.post("/communities/new")
def create() -> ResponseReturnValue:
    """Found a community."""
    form = Form.submitted()
    if wanted := form.parse(CommunityIn):
        try:
            made = services().communities.create(actor(), wanted)
        except ConflictError as error:
            form.refuse(error)
        else:
            flash(f"The community {made.name} is there. Now say what it asks.", "success")
            return see("privacy_pages.community_policy", slug=made.slug)
    return make_response(_form(form), HTTPStatus.UNPROCESSABLE_ENTITY)


@pages.get("/communities/<slug>/description")
def description(slug: str) -> str:
    """Show what is said about a community, to change it."""
    found = services().communities.get(slug)
    return _form(Form({"name": found.name, "description": found.description}), slug)


@pages.post("/communities/<slug>/description")
def edit(slug: str) -> ResponseReturnValue:
    """Change what is said about a community."""
    form = Form.submitted()
    if wanted := form.parse(CommunityEdit):
        services().communities.edit(actor(), slug, wanted)
        flash("The description is saved.", "success")
        return see(".community", slug=slug)
    return make_response(_form(form, slug), HTTPStatus.UNPROCESSABLE_ENTITY)


def _form(form: Form, slug: str = "") -> str:
    return render_template("catalog/community_form.html", form=form, slug=slug)

"""The page on which a community says what it asks of tables."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, render_template
from flask.typing import ResponseReturnValue

from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.forms import Form, see
from fairdatabase.privacy.errors import PolicyTooLooseError
from fairdatabase.privacy.schemas.policies import PolicyIn

pages = Blueprint("privacy_pages", __name__)


@pages.get("/communities/<slug>/policy")
def community_policy(slug: str) -> str:
    """Show what a community asks, to change it."""
    asked = services().policies.show_community(slug).community
    values = asked.model_dump(mode="json", exclude_none=True) if asked else {}
    return _form(slug, Form({name: str(value) for name, value in values.items()}))


@pages.post("/communities/<slug>/policy")
def set_community_policy(slug: str) -> ResponseReturnValue:
    """Change what a community asks; an empty field asks what the instance asks."""
    form = Form.submitted()
    typed = Form({name: text for name, text in form.values.items() if text.strip()})
    if wanted := typed.parse(PolicyIn):
        try:
            services().policies.set_community(actor(), slug, wanted)
        except PolicyTooLooseError as error:
            typed.refuse(error)
        else:
            flash("From now on drafts of this community are judged by it.", "success")
            return see("communities_pages.community", slug=slug)
    return make_response(_form(slug, typed), HTTPStatus.UNPROCESSABLE_ENTITY)


def _form(slug: str, form: Form) -> str:
    found = services().policies.show_community(slug)
    return render_template(
        "privacy/community_policy.html",
        community=services().communities.get(slug),
        instance=found.instance,
        form=form,
    )

"""Pages of the knowledge base: search, reading, sources and gaps."""

from http import HTTPStatus

from flask import Blueprint, flash, make_response, render_template, request
from flask.typing import ResponseReturnValue

from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.errors import ConflictError, ValidationError
from fairdatabase.kernel.forms import Form, see
from fairdatabase.knowledge.rules import trust_in_words
from fairdatabase.knowledge.schemas import (
    Answer,
    DismissalIn,
    Examples,
    Kind,
    KnowledgeQuery,
    ScheduleIn,
    SourceIn,
)

pages = Blueprint("knowledge_pages", __name__, url_prefix="/knowledge")


@pages.get("")
def search() -> str:
    """Show what answers a question; parameters that others added to the address are ignored."""
    known = {name: request.args.get(name) for name in KnowledgeQuery.model_fields}
    query = KnowledgeQuery.model_validate({name: text for name, text in known.items() if text})
    typing = "typing" in request.args
    found, examples = Answer(), Examples()
    if query.kind is Kind.CODE:
        examples = services().knowledge.examples(actor(), query)
    else:
        found = services().knowledge.search(actor(), query, noted=not typing)
    context = {"query": query, "found": found, "examples": examples.examples, "typing": typing}
    choices = services().knowledge.choices(actor())
    trust = trust_in_words(found.confidence, is_gap=found.is_gap)
    return render_template("knowledge/search.html", **context, choices=choices, trust=trust)


@pages.get("/pages/<int:page_id>")
def read(page_id: int) -> str:
    """Show a document with its table of contents."""
    document = services().knowledge.document(actor(), page_id)
    return render_template("knowledge/page.html", document=document)


@pages.get("/sources/<source_id>")
def contents(source_id: str) -> str:
    """List the documents of a source."""
    source, listed = services().knowledge.contents(actor(), source_id)
    return render_template("knowledge/contents.html", source=source, pages=listed)


@pages.get("/sources")
def sources() -> str:
    """Show the sources, what is being done to them, and how to add one."""
    return _sources(Form())


@pages.post("/sources")
def add() -> ResponseReturnValue:
    """Add a source."""
    form = Form.submitted()
    if data := form.parse(SourceIn):
        try:
            services().knowledge.sources.add(actor(), data)
        except (ValidationError, ConflictError) as error:
            form.refuse(error)
        else:
            flash(f"{data.location} is being loaded.", "success")
            return _back()
    return make_response(_sources(form), HTTPStatus.UNPROCESSABLE_ENTITY)


@pages.post("/starter")
def add_starter() -> ResponseReturnValue:
    """Add the sources that most begin with."""
    begun = services().knowledge.sources.add_starter(actor())
    flash(f"{len(begun)} sources are being loaded. Each says below how it went.", "success")
    return _back()


@pages.post("/sources/<source_id>/refresh")
def refresh(source_id: str) -> ResponseReturnValue:
    """Load a source anew."""
    services().knowledge.sources.refresh(actor(), source_id)
    return _back()


@pages.post("/sources/<source_id>/schedule")
def schedule(source_id: str) -> ResponseReturnValue:
    """Say how often a source is loaded anew."""
    form = Form.submitted()
    wanted = form.parse(ScheduleIn)
    if wanted is None:
        return make_response(_sources(form), HTTPStatus.UNPROCESSABLE_ENTITY)
    services().knowledge.sources.schedule(actor(), source_id, wanted)
    return _back()


@pages.post("/sources/<source_id>/remove")
def remove(source_id: str) -> ResponseReturnValue:
    """Remove a source with everything in it."""
    services().knowledge.sources.remove(actor(), source_id)
    flash("The source is gone.", "success")
    return _back()


@pages.get("/gaps")
def gaps() -> str:
    """Show what was asked and not found."""
    return render_template("knowledge/gaps.html", gaps=services().knowledge.gaps(actor()))


@pages.post("/gaps/dismiss")
def dismiss() -> ResponseReturnValue:
    """Forget a question and those that mean about the same."""
    asked = DismissalIn.model_validate(dict(Form.submitted().values))
    services().knowledge.dismiss(actor(), asked.question)
    return see(".gaps")


def _sources(form: Form) -> str:
    found = services().knowledge.list_sources(actor())
    listed = [each for each in found if not each.dataset_id]
    has_folder = services().settings.knowledge_folder is not None
    datasets = len({each.dataset_id for each in found if each.dataset_id})
    return render_template(
        "knowledge/sources.html", form=form, sources=listed, datasets=datasets, folder=has_folder
    )


def _back() -> ResponseReturnValue:
    return see(".sources")

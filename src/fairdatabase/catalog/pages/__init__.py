"""Pages of the catalogue: search."""

from functools import partial

from flask import Blueprint, render_template, request, url_for

from fairdatabase.catalog.schemas import SearchQuery
from fairdatabase.kernel.current import services
from fairdatabase.kernel.records import PageMeta

pages = Blueprint("catalog_pages", __name__)


@pages.get("/datasets")
def search() -> str:
    """Show the datasets that match; parameters that others added to the address are ignored."""
    known = {name: request.args.get(name) for name in SearchQuery.model_fields}
    query = SearchQuery.model_validate({name: text for name, text in known.items() if text})
    found = services().catalog.search(query)
    page = PageMeta(page=query.page, per_page=query.per_page, total=found.total)
    address = partial(_address, query)
    return render_template(
        "catalog/search.html", query=query, found=found, page=page, address=address
    )


def _address(query: SearchQuery, **changes: object) -> str:
    """Return the address of the same search with something changed, from its first page."""
    wanted = query.model_dump(mode="json", exclude_defaults=True, exclude={"page"}) | changes
    return url_for(".search", **wanted)

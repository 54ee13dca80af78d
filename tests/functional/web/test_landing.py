"""The landing page and the search page, as a browser gets them."""

import json
import re

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.catalog.schemas import AccessClass
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.catalog import make_draft, make_metadata, make_published

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NONCE = re.compile(r'nonce="[\w-]+"')
NASTY = "A </script><script>alert(1)</script> title"


def test_the_page_embeds_what_machines_read(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    version = make_published(services.database, services.catalog, member, title=NASTY)
    page = client.get(f"/datasets/{version.dataset_public_id}", headers=HTML)
    assert page.status_code == 200
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)
    assert len(blocks) == 1
    assert json.loads(blocks[0])["name"] == NASTY
    assert "<script>alert" not in page.text
    assert version.identifier in page.text


def test_the_page_is_not_sent_twice(services: Services, client: FlaskClient, member: Actor) -> None:
    version = make_published(services.database, services.catalog, member)
    url = f"/datasets/{version.dataset_public_id}"
    first = client.get(url, headers=HTML)
    assert {"Accept", "Cookie"} <= set(first.vary)
    known = {**HTML, "If-None-Match": first.headers["ETag"]}
    assert client.get(url, headers=known).status_code == 304
    draft = services.catalog.new_version(member, version.dataset_public_id)
    services.catalog.update_metadata(member, draft.public_id, make_metadata(title="The second"))
    services.catalog.publish(member, draft.public_id)
    changed = client.get(url, headers=known)
    assert changed.status_code == 200
    assert "The second" in changed.text
    older = client.get(f"/datasets/{version.public_id}", headers=known)
    assert older.status_code == 200
    assert "newer version" in older.text


def test_who_is_signed_in_gets_a_page_of_their_own(
    services: Services, client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    version = make_published(
        services.database, services.catalog, member, access=AccessClass.RESTRICTED
    )
    url = f"/datasets/{version.dataset_public_id}"
    visitor = client.get(url, headers=HTML)
    assert "are restricted" in visitor.text
    assert "/content" not in visitor.text
    owner = client_as(Role.MEMBER).get(url, headers=HTML)
    assert "/content" in owner.text
    again = client.get(url, headers=HTML)
    assert NONCE.sub("", again.text) == NONCE.sub("", visitor.text)


def test_a_withdrawn_dataset_leaves_its_page(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    version = make_published(services.database, services.catalog, member)
    url = f"/datasets/{version.dataset_public_id}"
    assert client.get(url, headers=HTML).status_code == 200
    services.catalog.withdraw(member, version.public_id, "A participant took back consent.")
    page = client.get(url, headers=HTML)
    assert page.status_code == 410
    assert "took back consent" in page.text
    assert version.metadata.title in page.text
    assert "ETag" not in page.headers


def test_drafts_have_no_page(
    services: Services, client: FlaskClient, client_as: ClientAs, member: Actor
) -> None:
    draft = make_draft(services.database, services.catalog, member)
    assert client.get(f"/datasets/{draft.public_id}", headers=HTML).status_code == 404
    owner = client_as(Role.MEMBER).get(f"/datasets/{draft.public_id}", headers=HTML)
    assert owner.status_code == 303
    assert draft.public_id in owner.location


def test_the_search_page_narrows_and_pages(
    services: Services, client: FlaskClient, member: Actor
) -> None:
    for number in range(3):
        make_published(
            services.database,
            services.catalog,
            member,
            title=f"Gut {number}",
            publication_year=2020,
        )
    page = client.get("/datasets?q=gut&per_page=2", headers=HTML)
    assert page.status_code == 200
    assert page.text.count('class="entry"') == 2
    assert "/datasets?per_page=2&amp;q=gut&amp;year=2020" in page.text
    assert "page=2" in page.text
    narrowed = client.get("/datasets?q=gut&year=2020&access=open", headers=HTML)
    assert 'aria-current="true"' in narrowed.text
    assert "Clear all" in narrowed.text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "No dataset is published yet"),
        ("?q=zebra", "Nothing matches"),
        ("?q=%22%00&utm_source=x&year=&access=", "Nothing matches"),
    ],
)
def test_an_empty_search_page_teaches(client: FlaskClient, query: str, text: str) -> None:
    page = client.get(f"/datasets{query}", headers=HTML)
    assert page.status_code == 200
    assert text in page.text


def test_a_wrong_search_is_explained(client: FlaskClient) -> None:
    page = client.get("/datasets?year=soon", headers=HTML)
    assert page.status_code == 422
    assert "year" in page.text

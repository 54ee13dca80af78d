"""Pages of communities, as a browser without scripts takes them."""

import pytest

from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.catalog.schemas import CommunityIn
from fairdatabase.services import Services
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import HARMLESS_ROLES, METADATA, harmless
from tests.factories.deposits import Work, ok, screened
from tests.factories.web import Browser

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def librarian(browser: Browser, curator: Actor) -> Browser:
    """A browser on which a curator is signed in."""
    browser.sign_in(curator)
    return browser


@pytest.fixture
def gut(services: Services, curator: Actor) -> str:
    """The short name of a community."""
    wanted = CommunityIn(slug="gut", name="Gut microbiome", description=NASTY)
    return services.communities.create(curator, wanted).slug


def test_a_curator_founds_one_and_says_what_it_asks(librarian: Browser) -> None:
    assert "No community yet" in librarian.get("/communities").text
    assert "Found a community" in librarian.get("/communities").text
    wrong = librarian.submit("/communities/new", name="Gut", slug="Not a slug", description="")
    assert wrong.status_code == 422
    assert 'value="Not a slug"' in wrong.text
    made = librarian.submit("/communities/new", name="Gut", slug="gut", description="Stool.")
    assert made.headers["Location"] == "/communities/gut/policy"
    again = librarian.submit("/communities/new", name="Gut", slug="gut", description="")
    assert again.status_code == 422
    assert "Another community has this name." in again.text

    policy = made.headers["Location"]
    assert "The platform asks 5." in librarian.get(policy).text
    for wrong_k, words in (("2", "The instance asks more than this."), ("many", "f-k-error")):
        refused = librarian.submit(policy, k=wrong_k, t="")
        assert refused.status_code == 422
        assert words in refused.text
    kept = librarian.submit(policy, k="9", t="", version_differences="")
    assert kept.headers["Location"] == "/communities/gut"
    assert "9 or more" in librarian.get("/communities/gut").text
    assert 'value="9"' in librarian.get(policy).text

    empty = librarian.submit("/communities/gut/description", name="", description="")
    assert empty.status_code == 422
    librarian.submit("/communities/gut/description", name="Guts", description="Stool.")
    assert "Guts" in librarian.get("/communities").text


def test_others_read_and_change_nothing(browser: Browser, gut: str) -> None:
    page = browser.get(f"/communities/{gut}").text
    assert "Nothing is published yet" in page
    assert "Change" not in page
    assert NASTY not in page
    assert "Found a community" not in browser.get("/communities").text


def test_a_steward_chooses_one_and_is_told_to_measure_again(
    steward: Browser,
    client_as: ClientAs,
    work: Work,
    gut: str,
) -> None:
    deposit, _ = screened(client_as(Role.MEMBER), work, harmless(), HARMLESS_ROLES)
    address = f"/deposits/{deposit}/describe"
    assert "Gut microbiome" in steward.get(address).text
    fields = {
        "title": str(METADATA["title"]),
        "description": "Rows.",
        "creators-0-name": "Anning, Mary",
        "licence": "CC0-1.0",
        "language": "en",
        "access": "open",
    }
    policy = f"/api/v1/communities/{gut}/privacy-policy"
    ok(client_as(Role.CURATOR).put(policy, json={"l": 1, "k": 6}))
    saved = steward.submit(address, **fields, community=gut, action="save")
    assert saved.status_code == 303
    assert '<option value="gut" selected>' in steward.get(address).text
    review = f"/deposits/{deposit}/review"
    assert "was not measured since what it has to hold changed" in steward.get(review).text
    steward.submit(f"/deposits/{deposit}/risk")
    work()
    assert "was not measured" not in steward.get(review).text
    steward.submit(f"/deposits/{deposit}/publication")
    assert fields["title"] in steward.get(f"/communities/{gut}").text
    search = steward.get(f"/datasets?community={gut}").text
    assert "Community: gut" in search
    assert fields["title"] in search

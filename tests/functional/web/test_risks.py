"""A closer look at the risk, on the pages of the wizard."""

import pytest
from flask.testing import FlaskClient

from fairdatabase.authorization.schemas import Actor, Role
from tests.factories.accounts import ClientAs
from tests.factories.cohorts import ROLES, cohort
from tests.factories.deposits import Work, ok, screened, set_roles, upload
from tests.factories.web import Browser

GUT_ROLES = {"sex": "quasi_identifier", "illness": "sensitive"}
TAXA = ("g__Prevotella", "g__Bacteroides", "g__Roseburia", "g__Blautia", "g__Dorea")


def guts(samples: int = 40) -> bytes:
    """A table of abundances in which the first sample alone has Dorea."""
    lines = [",".join(["sex", "illness", *TAXA])]
    for number in range(samples):
        cells = [("f", "m")[number % 2], ("flu", "cold")[number // 2 % 2]]
        lines.append(",".join([*cells, "5", "1", "7", "2", str(int(number == 0))]))
    return "\n".join(lines).encode()


@pytest.fixture
def owner(client_as: ClientAs) -> FlaskClient:
    """The client of somebody who deposits."""
    return client_as(Role.MEMBER)


def test_a_microbiome_is_called_a_fingerprint(
    owner: FlaskClient, browser: Browser, member: Actor, work: Work
) -> None:
    deposit, file = screened(owner, work, guts(), GUT_ROLES | dict.fromkeys(TAXA, "insensitive"))
    verdict = ok(owner.get(f"/api/v1/files/{file}/screening"))
    assert verdict["passed"], "it is a warning"
    (warning,) = verdict["verdict"]["warnings"]
    assert warning["code"] == "fingerprints"
    assert warning["message"].startswith("1 of 40 samples has a few taxa")
    models = ok(owner.get(f"/api/v1/files/{file}/risk-models"))
    assert models["fingerprints"]["unique_samples"] == 1
    assert models["in_words"][-1]["value"] == "1 of 40 samples (2.5 %)"
    report = owner.get(f"/api/v1/files/{file}/risk-report?format=html").text
    assert "To look at: 1 of 40 samples" in report
    browser.sign_in(member)
    page = browser.get(f"/deposits/{deposit}/risk").text
    assert "1 of 40 samples has a few taxa" in page
    assert "like a fingerprint" in browser.get(f"/deposits/{deposit}/risk/models").text


def test_the_pages_show_the_same(
    owner: FlaskClient, browser: Browser, member: Actor, work: Work
) -> None:
    deposit, _ = screened(owner, work, cohort(), ROLES)
    everybody = upload(owner, deposit, cohort(600), "everybody.csv")
    work()
    set_roles(owner, everybody, ROLES)
    work()
    browser.sign_in(member)
    base = f"/deposits/{deposit}/risk"
    assert f"{base}/groups" in browser.get(base).text
    groups = browser.get(f"{base}/groups?smaller_than=2&column=sex&value=female")
    assert "one by one" in groups.text
    assert 'value="female"' in groups.text
    assert ">male<" not in groups.text.partition("<tbody>")[2]
    assert "No group is like this" in browser.get(f"{base}/groups?column=sex&value=x").text
    assert "at least 2" in browser.get(f"{base}/groups?smaller_than=1").text
    models = browser.get(f"{base}/models?sampled=0.1&population={everybody}").text
    assert "Rows that few columns tell apart" in models
    assert "Journalist risk" in models
    assert "Please enter a number" in browser.get(f"{base}/models?sampled=many").text

"""The tutorial's table goes the way that the tutorial tells, with the figures it gives."""

from fairdatabase.authorization.schemas import Role
from tests.architecture.tree import ROOT
from tests.factories.accounts import ClientAs
from tests.factories.deposits import Work, ok, open_deposit, set_roles, upload

TUTORIAL = ROOT / "docs" / "tutorials" / "first-deposit.md"
TABLE = ROOT / "docs" / "tutorials" / "gut-health.csv"
PHRASES = {
    "small_groups": "217 of 239 rows are in groups smaller than 5, 70 of them alone",
    "direct_identifiers": "`participant` can tell directly who somebody is",
}


def test_the_figures_of_the_tutorial_are_those_of_its_table(
    client_as: ClientAs, work: Work
) -> None:
    owner = client_as(Role.MEMBER)
    text = " ".join(TUTORIAL.read_text(encoding="utf-8").split())
    file = upload(owner, open_deposit(owner), TABLE.read_bytes())
    work()
    (left_out,) = ok(owner.get(f"/api/v1/files/{file}/table"))["report"]["rejected"]
    assert f"line {left_out['line']} has five cells" in text

    suggested = ok(owner.get(f"/api/v1/files/{file}/role-suggestions"))
    set_roles(owner, file, {each["column"]: each["role"] for each in suggested})
    work()
    reasons = ok(owner.get(f"/api/v1/files/{file}/screening"))["verdict"]["reasons"]
    messages = {each["code"]: each["message"].replace(" (90.8 %)", "") for each in reasons}
    assert messages.keys() == PHRASES.keys()
    assert all(phrase in text and phrase in messages[code] for code, phrase in PHRASES.items())

    recipe = ok(owner.get(f"/api/v1/files/{file}/recipe-suggestion"))
    ok(owner.post(f"/api/v1/files/{file}/release", json=recipe), 202)
    work()
    release = ok(owner.get(f"/api/v1/files/{file}/screening?kind=release"))
    report = release["report"]
    assert release["passed"]
    assert f"{report['rows']} of 239 rows remain" in text
    assert f"The smallest group has {report['k']} rows" in text
    assert f"from 0.00 to {report['p29']['value']:.2f}" in text

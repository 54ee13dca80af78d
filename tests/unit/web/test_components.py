"""The macros every page is built of."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from fairdatabase.jobs.schemas import JobRecord, JobState
from fairdatabase.kernel.forms import Form
from fairdatabase.kernel.records import PageMeta
from fairdatabase.web.filters import FILTERS

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def environment() -> Environment:
    found = Environment(
        loader=PackageLoader("fairdatabase.web"), autoescape=True, undefined=StrictUndefined
    )
    found.filters.update(FILTERS)
    found.globals.update(
        asset=lambda path: f"/static/{path}",
        csrf_token=lambda: "token",
        url_for=lambda endpoint, **values: "/".join([endpoint, *map(str, values.values())]),
    )
    return found


def rendered(environment: Environment, call: str, **context: object) -> str:
    """Render one macro call; its file is named before the dot."""
    component = call.partition(".")[0].rpartition(" ")[2].lstrip("{ ")
    imports = f"{{% import 'components/{component}.html' as {component} with context %}}"
    return environment.from_string(imports + "{{ " + call + " }}").render(**context)


def refused(values: Mapping[str, str], errors: Mapping[str, str]) -> Form:
    form = Form(values)
    form.errors.update(errors)
    return form


def test_a_refused_field_keeps_its_input_and_names_its_error(environment: Environment) -> None:
    form = refused({"title": HOSTILE}, {"title": "Too short."})
    html = rendered(
        environment,
        "forms.field(form, 'title', 'Title', help='Say what.', required=true)",
        form=form,
    )
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="f-title-help f-title-error"' in html
    assert 'id="f-title-error"' in html
    assert "Too short." in html


def test_a_fine_field_claims_no_error(environment: Environment) -> None:
    html = rendered(environment, "forms.field(form, 'title', 'Title')", form=Form())
    assert "aria-invalid" not in html
    assert "aria-describedby" not in html
    assert "(optional)" in html


def test_a_password_is_never_sent_back(environment: Environment) -> None:
    form = Form({"password": "correct horse"})
    html = rendered(
        environment, "forms.field(form, 'password', 'Password', type='password')", form=form
    )
    assert "correct horse" not in html


def test_a_text_area_keeps_its_first_empty_line(environment: Environment) -> None:
    """HTML drops one line break after the opening tag, so the macro gives it one to drop."""
    form = Form({"text": "\nsecond line"})
    assert ">\n\nsecond line</textarea>" in rendered(
        environment, "forms.textarea(form, 'text', 'Text')", form=form
    )


def test_the_chosen_option_stays_chosen(environment: Environment) -> None:
    html = rendered(
        environment,
        "forms.select(form, 'licence', 'Licence', [('a', 'A'), ('b', 'B')])",
        form=Form({"licence": "b"}),
    )
    assert '<option value="b" selected>' in html
    assert html.count("selected") == 1


def test_the_summary_links_to_each_field(environment: Environment) -> None:
    form = refused({}, {"title": "Too short.", "": "Somebody else was first."})
    html = rendered(environment, "forms.error_summary(form)", form=form)
    assert '<a href="#f-title">Too short.</a>' in html
    assert "2 things need your attention" in html
    assert "Somebody else was first." in html


def test_the_summary_of_a_fine_form_is_empty(environment: Environment) -> None:
    assert not rendered(environment, "forms.error_summary(form)", form=Form()).strip()


def test_every_step_is_a_link_and_the_current_one_is_marked(environment: Environment) -> None:
    steps = [
        SimpleNamespace(key="files", name="Files", state="done", note="Done"),
        SimpleNamespace(key="columns", name="Columns", state="todo", note=""),
    ]
    html = rendered(environment, "navigation.stepper(steps, 'columns', 'x')", steps=steps)
    assert re.findall(r'<a href="(\S+)"( aria-current="step")?', html) == [
        ("deposits_pages.files/x", ""),
        ("deposits_pages.columns/x", ' aria-current="step"'),
    ]


@pytest.mark.parametrize(
    ("number", "links"), [(1, {2, 9}), (2, {1, 3, 9}), (5, {1, 4, 6, 9}), (9, {1, 8})]
)
def test_pages_near_the_current_one_are_linked(
    environment: Environment, number: int, links: set[int]
) -> None:
    page = PageMeta(page=number, per_page=10, total=90)
    html = rendered(
        environment, "navigation.pagination(page, url_of)", page=page, url_of=lambda n: f"/p{n}"
    )
    assert {n for n in range(1, 10) if f'href="/p{n}" aria-label' in html} == links
    assert ('rel="prev"' in html, 'rel="next"' in html) == (number > 1, number < 9)


def test_bars_draw_shares_of_the_largest(environment: Environment) -> None:
    bands = [
        {"low": 1, "high": 1, "classes": 4},
        {"low": 2, "high": 4, "classes": 1},
        {"low": 5, "high": None, "classes": 0},
    ]
    html = rendered(environment, "data.bars(bands, 5, 'People', 'Groups')", bands=bands)
    assert [f'width="{share}%"' in html for share in ("100.0", "25.0", "0.0")] == [True] * 3
    assert html.count("is-bad") == 2
    assert html.count("is-limit") == 1
    assert "2\u20134" in html
    assert "5 or more" in html


def test_bars_of_nothing_have_no_length(environment: Environment) -> None:
    bands = [{"low": 1, "high": 1, "classes": 0}]
    html = rendered(environment, "data.bars(bands, 5, 'People', 'Groups')", bands=bands)
    assert 'width="0%"' in html


def job(state: JobState, **facts: object) -> JobRecord:
    started = datetime(2026, 11, 22, tzinfo=UTC)
    given = {"progress": 0.0, "message": "", "error": None, "finished_at": None} | facts
    return JobRecord.model_validate(
        {
            "id": uuid4(),
            "subject_id": None,
            "owner_id": None,
            "public_id": "5k9z2m4xqvb",
            "kind": "deposits.validate",
            "state": state,
            "attempts": 1,
            "created_at": started,
            "started_at": started,
            **given,
        }
    )


@pytest.mark.parametrize(
    ("state", "progress", "bar"),
    [
        (JobState.RUNNING, 0.5, '<progress max="1" value="0.5"'),
        (JobState.QUEUED, 0.0, '<progress max="1" aria-labelledby'),
    ],
)
def test_a_job_under_way_shows_its_progress(
    environment: Environment, state: JobState, progress: float, bar: str
) -> None:
    html = rendered(environment, "feedback.job_progress(job)", job=job(state, progress=progress))
    assert bar in html
    assert "Reading the table" in html


def test_a_failed_job_shows_why_and_no_bar(environment: Environment) -> None:
    failed = job(JobState.FAILED, progress=0.5, error="No space is left.")
    html = rendered(environment, "feedback.job_progress(job)", job=failed)
    assert "<progress" not in html
    assert "No space is left." in html


def test_an_unknown_state_is_shown_as_it_is(environment: Environment) -> None:
    assert "quarantined" in rendered(environment, "data.badge('quarantined')")
    assert "Open" in rendered(environment, "data.badge('open')")


def test_each_template_compiles(environment: Environment) -> None:
    for name in environment.list_templates():
        environment.get_template(name)

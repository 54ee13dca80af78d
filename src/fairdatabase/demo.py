"""The demonstration: an instance of its own, filled with real data about people.

The data come with two packages that ``pip`` installs for the demonstration. They are found by
the packages' own lists of files, without importing them, and are checked by their checksums.
Three datasets show three ways: one passes the privacy gate, one is refused and then anonymised,
one is restricted.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata as packages
from pathlib import Path

from pydantic import SecretStr

from fairdatabase.accounts.commands import new_password
from fairdatabase.accounts.schemas import Registration
from fairdatabase.authorization.schemas import Actor, Role
from fairdatabase.catalog.schemas import AccessClass, Creator, Metadata, RelatedIdentifier, Subject
from fairdatabase.deposits.errors import NotPublishableError
from fairdatabase.deposits.schemas import DepositIn
from fairdatabase.jobs.backends.memory import MemoryQueue
from fairdatabase.kernel.config import Settings, load_settings, write_secrets
from fairdatabase.kernel.errors import ConfigurationError, NotFoundError
from fairdatabase.kernel.records import PageQuery
from fairdatabase.migrations import upgrade
from fairdatabase.privacy.schemas import Recipe
from fairdatabase.services import Services, build_services
from fairdatabase.tables.schemas import ColumnEdit, ColumnRole
from fairdatabase.worker import register_tasks

DEFAULT_INSTANCE = Path("instance", "demo")
EMAIL = "admin@example.org"
_LOGIN_FILE = "demo-password.txt"
Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Source:
    """A data file inside an installed package."""

    package: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Story:
    """A dataset of the demonstration.

    Args:
        source: Where its table comes from.
        file_name: Name of the file in the deposit.
        metadata: Its description.
        roles: Role of each column that is not insensitive.
        access: Who may read the data.
        recipe: How it is anonymised after the gate has refused it.
    """

    source: Source
    file_name: str
    metadata: Metadata
    roles: dict[str, ColumnRole] = field(default_factory=dict)
    access: AccessClass = AccessClass.OPEN
    recipe: Recipe | None = None


_ATLAS_CREATORS = [
    Creator(name=name)
    for name in (
        "Lahti, Leo",
        "Salojärvi, Jarkko",
        "Salonen, Anne",
        "Scheffer, Marten",
        "de Vos, Willem M.",
    )
]
_ATLAS_ARTICLE = RelatedIdentifier(
    identifier="https://doi.org/10.1038/ncomms5344", relation="IsSupplementTo"
)
_ATLAS_FOLDER = "skbio/stats/composition/tests/data"

STORIES = (
    Story(
        source=Source(
            "statsmodels",
            "statsmodels/datasets/randhie/randhie.csv",
            "9f6c87d05aef087a82cc4465310c8cd3f38327be6eafa43bd81fb98c4f3d088c",
        ),
        file_name="rand-health-insurance.csv",
        metadata=Metadata(
            title="RAND Health Insurance Experiment: visits to physicians",
            description=(
                "20,190 person-years of the experiment that assigned families in the United States"
                " to insurance plans: visits to a physician (mdvis), the plan (lncoins, idp, lpi,"
                " fmde), physical limitation (physlm), chronic diseases (disea) and self-rated"
                " health (hlthg good, hlthf fair, hlthp poor)."
            ),
            creators=[Creator(name="RAND Corporation", kind="Organizational")],
            subjects=[Subject(term="health insurance"), Subject(term="health economics")],
            licence="CC-PDDC",
        ),
        roles={
            "idp": ColumnRole.QUASI_IDENTIFIER,
            "lncoins": ColumnRole.QUASI_IDENTIFIER,
            "mdvis": ColumnRole.SENSITIVE,
            "disea": ColumnRole.SENSITIVE,
        },
    ),
    Story(
        source=Source(
            "scikit-bio",
            f"{_ATLAS_FOLDER}/atlas_meta_data.csv",
            "69a945e91d2e578de942e710b8e8550895b745f2c57ac4cadc07378b4e07f6ec",
        ),
        file_name="hitchip-atlas-people.csv",
        metadata=Metadata(
            title="HITChip Atlas: age, region and body mass of 300 adults",
            description=(
                "Adults whose gut microbiota was profiled for the HITChip Atlas: age in years,"
                " region, and body mass index as a class. Published in anonymised form: ages in"
                " intervals, sample names as pseudonyms, small groups left out."
            ),
            creators=_ATLAS_CREATORS,
            subjects=[Subject(term="gut microbiome"), Subject(term="body mass index")],
            licence="CC0-1.0",
            related_identifiers=[_ATLAS_ARTICLE],
        ),
        roles={
            "column_1": ColumnRole.DIRECT_IDENTIFIER,
            "age": ColumnRole.QUASI_IDENTIFIER,
            "region": ColumnRole.QUASI_IDENTIFIER,
            "bmi": ColumnRole.SENSITIVE,
        },
        recipe=Recipe.model_validate(
            {
                "steps": [
                    {"op": "pseudonymise", "column": "column_1"},
                    {"op": "intervals", "column": "age", "width": 20},
                    {"op": "suppress", "k": 5},
                ]
            }
        ),
    ),
    Story(
        source=Source(
            "scikit-bio",
            f"{_ATLAS_FOLDER}/atlas_feature_table.csv",
            "6a1a899472f449460f9cbb914d7de729409f82f8b745cdcbb4537956d40f2745",
        ),
        file_name="hitchip-atlas-abundance.csv",
        metadata=Metadata(
            title="HITChip Atlas: abundance of 21 bacterial groups in 300 adults",
            description=(
                "Abundance of 21 bacterial groups in gut samples of 300 adults. A whole profile of"
                " somebody's bacteria is like a fingerprint, so the data are restricted; this"
                " description is open."
            ),
            creators=_ATLAS_CREATORS,
            subjects=[Subject(term="gut microbiome"), Subject(term="relative abundance")],
            licence="CC0-1.0",
            related_identifiers=[_ATLAS_ARTICLE],
        ),
        roles={"column_1": ColumnRole.DIRECT_IDENTIFIER},
        access=AccessClass.RESTRICTED,
    ),
)


def settings_for(instance: Path | None, url: str) -> Settings:
    """Return the settings of the demonstration's instance; its secrets are made when missing.

    Args:
        instance: Its folder; None for the default one.
        url: Where it will be served.
    """
    folder = instance or DEFAULT_INSTANCE
    write_secrets(folder)
    return load_settings(
        instance_path=folder, environment="development", base_url=url, log_level="WARNING"
    )


def prepare(settings: Settings, *, tell: Tell) -> str:
    """Bring the demonstration's instance to its full state, whatever is there already.

    Args:
        settings: Of its instance.
        tell: Called with a line on each thing that is done.

    Returns:
        How to sign in, for a person to read.

    Raises:
        ConfigurationError: A package is missing or its data are not the expected ones.
    """
    upgrade(settings.sqlalchemy_url)
    queue = MemoryQueue()
    services = build_services(settings, queue=queue)
    register_tasks(services)
    try:
        password = _admin_password(services)
        narrator = _Narrator(services, queue, services.accounts.actor_by_email(EMAIL), tell)
        for story in STORIES:
            narrator.play(story)
    finally:
        services.database.dispose()
    return f"Address   {settings.public_url}\nE-mail    {EMAIL}\nPassword  {password}"


def located(source: Source) -> Path:
    """Return a data file of an installed package without importing the package.

    Raises:
        ConfigurationError: The package or the file is missing, or holds other data.
    """
    advice = "Run `make demo`, or install the extra: pip install 'fairdatabase[demo]'."
    try:
        path = Path(str(packages.distribution(source.package).locate_file(source.path)))
    except packages.PackageNotFoundError:
        message = f"The demonstration needs the package {source.package}. {advice}"
        raise ConfigurationError(message) from None
    if not path.is_file():
        message = f"This version of {source.package} has no file {source.path}. {advice}"
        raise ConfigurationError(message)
    if hashlib.sha256(path.read_bytes()).hexdigest() != source.sha256:
        message = f"{source.path} of {source.package} is not the expected file. {advice}"
        raise ConfigurationError(message)
    return path


def _admin_password(services: Services) -> str:
    """Return the admin's password, and make the admin at the first start."""
    file = services.settings.instance_path / _LOGIN_FILE
    try:
        services.accounts.actor_by_email(EMAIL)
    except NotFoundError:
        password = new_password()
        services.accounts.create_user(
            Registration(name="Demo Admin", email=EMAIL, password=SecretStr(password)),
            roles=frozenset({Role.ADMIN}),
        )
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(password)
    if not file.exists():
        return f"(not kept; `fairdatabase user password {EMAIL}` sets a new one)"
    return file.read_text(encoding="utf-8")


class _Narrator:
    """Plays stories as their depositor, doing the jobs itself."""

    def __init__(self, services: Services, queue: MemoryQueue, actor: Actor, tell: Tell) -> None:
        self._services = services
        self._queue = queue
        self._actor = actor
        self._tell = tell

    def play(self, story: Story) -> None:
        """Deposit, screen and publish a dataset, unless it was published at an earlier start."""
        if self._is_published(story):
            return
        self._discard_unfinished(story)
        self._tell(f"Depositing {story.metadata.title} ...")
        deposit, file = self._deposit(story)
        if story.recipe:
            self._show_refusal(deposit)
            self._services.privacy.request_release(self._actor, file, story.recipe)
            self._work()
        version = self._services.deposits.publish(self._actor, deposit)
        self._tell(f"  published as {version.dataset_identifier}, {version.access.value}")

    def _deposit(self, story: Story) -> tuple[str, str]:
        deposits = self._services.deposits
        data = DepositIn(metadata=story.metadata, access=story.access)
        deposit = deposits.open(self._actor, data).version.public_id
        with located(story.source).open("rb") as stream:
            added = deposits.add_file(self._actor, deposit, story.file_name, stream)
        self._work()
        file = added.file.public_id
        columns = self._services.tables.describe(self._actor, file).columns
        edits = {
            column.name: ColumnEdit(role=story.roles.get(column.name, ColumnRole.INSENSITIVE))
            for column in columns
        }
        deposits.set_columns(self._actor, file, edits)
        self._work()
        return deposit, file

    def _show_refusal(self, deposit: str) -> None:
        try:
            self._services.deposits.publish(self._actor, deposit)
        except NotPublishableError as error:
            self._tell(f"  refused: {error.message}")
            self._tell("  so it is anonymised by a recipe ...")

    def _work(self) -> None:
        self._queue.drain(self._services.jobs.run)

    def _is_published(self, story: Story) -> bool:
        page = PageQuery(per_page=100)
        mine, _ = self._services.catalog.my_publications(self._actor, page)
        return any(version.title == story.metadata.title for version in mine)

    def _discard_unfinished(self, story: Story) -> None:
        mine, _ = self._services.deposits.drafts(self._actor, PageQuery(per_page=100))
        for draft in mine:
            if draft.title == story.metadata.title:
                self._services.deposits.discard(self._actor, draft.public_id)

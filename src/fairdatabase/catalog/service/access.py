"""Who may have what, as exceptions that say what to do."""

from fairdatabase.authorization.schemas import Action, Actor
from fairdatabase.catalog.errors import NotADraftError, WithdrawnError
from fairdatabase.catalog.rules import may_read_data, require_act, visible
from fairdatabase.catalog.schemas import FileRecord, VersionRecord, VersionState
from fairdatabase.kernel.errors import AuthenticationError, NotFoundError, PermissionDeniedError


def no_such_dataset(public_id: str) -> NotFoundError:
    """Return the error for a dataset or version that is not there, or not for this actor."""
    return NotFoundError(f"There is no dataset {public_id}. Please check the identifier.")


def no_such_file(public_id: str) -> NotFoundError:
    """Return the error for a file that is not there, or not for this actor."""
    return NotFoundError(f"There is no file {public_id}. Please check the identifier.")


def require_visible(actor: Actor, version: VersionRecord, otherwise: NotFoundError) -> None:
    """Raise ``otherwise`` where the actor may not know of the version."""
    if not visible(actor, version):
        raise otherwise


def require_data(actor: Actor, version: VersionRecord) -> None:
    """Let those pass who may read the data of a version that they can see.

    Raises:
        WithdrawnError: The data were withdrawn.
        AuthenticationError: The data are restricted and nobody is signed in.
        PermissionDeniedError: The data are restricted and not for this actor.
    """
    if may_read_data(actor, version):
        return
    title = version.metadata.title
    if version.state is VersionState.WITHDRAWN:
        raise WithdrawnError(
            f"The data of “{title}” were withdrawn: {version.withdrawal_reason} "
            f"The description stays at /datasets/{version.dataset_public_id}."
        )
    if not actor.is_authenticated:
        raise AuthenticationError(
            f"The data of “{title}” are restricted. Only its owner and the curators may read "
            "them: sign in as one of them. The description is open to everybody."
        )
    if actor.scopes is not None:
        require_act(actor, Action.READ_DATA, version)  # Says where only the scope is missing.
    raise PermissionDeniedError(
        f"The data of “{title}” are restricted: only its owner and the curators may read them. The "
        "description is open to everybody."
    )


def require_steward(actor: Actor, version: VersionRecord) -> None:
    """Let those pass who look after the dataset.

    Raises:
        AuthenticationError: Nobody is signed in.
        PermissionDeniedError: The dataset is somebody else's.
    """
    require_act(actor, Action.INSPECT, version)


def require_draft_state(version: VersionRecord) -> None:
    """Let drafts pass.

    Raises:
        NotADraftError: The version was published or withdrawn.
    """
    if version.state is not VersionState.DRAFT:
        raise NotADraftError(
            f"Version {version.number} of this dataset is {version.state.value} and never changes "
            "again. Please open a new version of the dataset and change that."
        )


def require_bytes(file: FileRecord) -> None:
    """Let files pass whose original bytes may leave the house.

    Raises:
        PermissionDeniedError: Only the table that was screened leaves it.
    """
    if file.withheld:
        raise PermissionDeniedError(
            f"The file {file.name} as it was deposited stays in the house, because it holds more "
            "than the table that was checked. That table can be explored and exported instead."
        )

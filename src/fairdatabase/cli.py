"""The command line: ``fairdatabase COMMAND``.

Commands of the features stand in their ``commands`` modules; here are those that concern the
instance as a whole. Whatever goes wrong is one line on standard error and exit code 1 (2 where
the command was typed wrongly); ``--debug`` shows where it happened.
"""

import logging
import time
from functools import cached_property
from pathlib import Path
from uuid import UUID

import click
from pydantic import ValidationError as PydanticValidationError
from sqlalchemy.exc import SQLAlchemyError

from fairdatabase import __version__, demo, doctor, worker
from fairdatabase.accounts.commands import token, user
from fairdatabase.accounts.rules.keys import key_id
from fairdatabase.audit.commands import audit
from fairdatabase.authorization.schemas import ANONYMOUS, Actor
from fairdatabase.catalog.commands import search
from fairdatabase.deposits.commands import deposit, publish
from fairdatabase.jobs.schemas import JobRecord
from fairdatabase.kernel.clock import utc_now
from fairdatabase.kernel.config import (
    ROTATED,
    Settings,
    instance_folder,
    load_settings,
    retired_until,
    rotate_secrets,
    write_secrets,
)
from fairdatabase.kernel.errors import FAIRDatabaseError, NotFoundError
from fairdatabase.mcp.commands import mcp
from fairdatabase.migrations import upgrade
from fairdatabase.observability.logging import configure_logging
from fairdatabase.privacy.commands import privacy
from fairdatabase.services import Services, build_services
from fairdatabase.serving.processes import preload
from fairdatabase.serving.processes import serve as serve_instance
from fairdatabase.tables.commands import download, query

_PRIVATE_FOLDER = 0o700
_POLL_SECONDS = 0.3
_MARKS = {True: "ok     ", False: "PROBLEM", None: "warning"}
logger = logging.getLogger(__name__)


class Instance:
    """The instance that a command is about, opened when it is first needed.

    Args:
        path: Its folder; None for the one that the settings name.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    @cached_property
    def settings(self) -> Settings:
        """The settings."""
        return load_settings(**({"instance_path": self.path} if self.path else {}))

    @cached_property
    def services(self) -> Services:
        """All services, able to do jobs."""
        doctor.require_migrated(self.settings)
        services = build_services(self.settings)
        worker.register_tasks(services)
        return services

    def actor(self, email: str | None) -> Actor:
        """Return the user with this address; nobody in particular without one."""
        return self.services.accounts.actor_by_email(email) if email else ANONYMOUS

    def finish(self, subject_id: UUID) -> JobRecord:
        """Do the newest job about something here and now, unless a worker was faster.

        Raises:
            NotFoundError: There is no job about it.
        """
        jobs = self.services.jobs
        while True:
            job = jobs.latest([subject_id]).get(subject_id)
            if job is None:
                raise NotFoundError("There is no work on this file to wait for.")
            if job.state.has_ended:
                return job
            if not jobs.run(job.id):
                jobs.sweep()  # the worker that has it may die, and be the only one
                time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Close the database if it was opened."""
        if "services" in vars(self):
            self.services.database.dispose()


class _Commands(click.Group):
    """Turns errors into one line for the person at the keyboard."""

    def invoke(self, ctx: click.Context) -> object:
        if ctx.params.get("debug"):
            return super().invoke(ctx)
        try:
            return super().invoke(ctx)
        except FAIRDatabaseError as error:
            raise click.ClickException(error.message) from error
        except PydanticValidationError as error:
            raise click.ClickException(_explained(error)) from error
        except SQLAlchemyError as error:
            raise click.ClickException(
                "The database does not answer as it should. `fairdatabase doctor` says more."
            ) from error
        except OSError as error:
            raise click.ClickException(str(error)) from error


def _explained(error: PydanticValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    parts = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found)
    return "; ".join(parts)


def example(text: str) -> str:
    """Return an epilogue that shows how a command is used."""
    return f"\b\nExample:\n  {text}"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fairdatabase")
@click.option(
    "--instance",
    "path",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="FAIRDATABASE_INSTANCE_PATH",
    help="Folder of the instance (default: ./instance).",
)
@click.option("--debug", is_flag=True, help="Show the log and, of an error, where it happened.")
@click.pass_context
def main(ctx: click.Context, path: Path | None, *, debug: bool) -> None:
    """Share tables about people FAIR, without exposing one of them."""
    instance = Instance(path)
    ctx.obj = instance
    ctx.call_on_close(instance.close)
    if debug:
        logging.basicConfig(level=logging.INFO)
    else:
        logging.getLogger().addHandler(logging.NullHandler())


for command in (user, token, audit, deposit, publish, search, query, download, privacy, mcp):
    main.add_command(command)


@main.command(epilog=example("fairdatabase --instance /srv/fairdatabase init"))
@click.pass_obj
def init(instance: Instance) -> None:
    """Create an instance: its folder, its secrets, its database."""
    folder = instance.path or instance_folder()
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    secrets = write_secrets(folder)
    upgrade(instance.settings.sqlalchemy_url)
    click.echo(f"The instance in {folder} is ready.")
    if secrets:
        click.echo(f"Its secrets are in {secrets}, for your eyes only. Back them up apart.")
    click.echo("Next: fairdatabase user create you@example.org --role admin; fairdatabase serve")


@main.group("secrets")
def keys() -> None:
    """Change the keys that sign, and see which ones are in use."""


@keys.command(epilog=example("fairdatabase secrets rotate"))
@click.option("--forget", is_flag=True, help="Somebody has the old ones: sign everybody out.")
@click.pass_obj
def rotate(instance: Instance, *, forget: bool) -> None:
    """Put new keys in the place of those that sign; the old ones still verify for a while."""
    path = rotate_secrets(instance.settings, utc_now().date(), forget=forget)
    click.echo(f"New keys are in {path}; they sign after the next start of every process.")
    if forget:
        click.echo("The old ones are forgotten: everybody has to sign in again.")
    else:
        days = instance.settings.refresh_token_days
        click.echo(f"The old ones verify what they signed for {days} more days.")


@keys.command("list", epilog=example("fairdatabase secrets list"))
@click.pass_obj
def list_keys(instance: Instance) -> None:
    """List the keys by their names (``kid``) and dates, never the keys."""
    settings = instance.settings
    for name, retired_name in ROTATED.items():
        click.echo(f"{key_id(getattr(settings, name).get_secret_value())}  {name}  in use")
        for each in getattr(settings, retired_name):
            kid, until = key_id(each.secret.get_secret_value()), retired_until(settings, each)
            click.echo(f"{kid}  {name}  retired on {each.retired_on}, needed until {until}")


@main.command(epilog=example("fairdatabase migrate"))
@click.pass_obj
def migrate(instance: Instance) -> None:
    """Bring the database to the state that this version of the program needs."""
    before, head = doctor.revisions(instance.settings)
    if before == head:
        click.echo(f"The database is up to date ({head}).")
        return
    upgrade(instance.settings.sqlalchemy_url)
    click.echo(f"The database went from {before or 'nothing'} to {head}.")


@main.command("doctor", epilog=example("fairdatabase doctor --fixity 100"))
@click.option("--fixity", type=click.IntRange(0), default=0, help="Read this many stored files.")
@click.pass_obj
def examine(instance: Instance, fixity: int) -> None:
    """Look for everything that is wrong, and say how to mend it."""
    findings = list(doctor.examine(lambda: instance.settings, fixity=fixity))
    for finding in findings:
        click.echo(f"{_MARKS[finding.ok]}  {finding.subject}: {finding.message}")
        if finding.fix:
            click.echo(f"         -> {finding.fix}")
    problems = sum(finding.ok is False for finding in findings)
    if problems:
        raise click.ClickException(f"{problems} problem{'s' * (problems > 1)} found.")


@main.command("worker", epilog=example("fairdatabase worker"))
@click.pass_obj
def do_jobs(instance: Instance) -> None:
    """Do jobs until SIGTERM or Ctrl-C; needed beside `serve --no-worker` only."""
    doctor.require_migrated(instance.settings)
    configure_logging(instance.settings)
    worker.start(instance.settings)


@main.command(epilog=example("fairdatabase serve --host 0.0.0.0 --port 8000 --workers 4"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option("--no-worker", is_flag=True, help="Leave the jobs to `fairdatabase worker`.")
@click.pass_obj
def serve(instance: Instance, host: str, port: int, workers: int, *, no_worker: bool) -> None:
    """Serve the instance until SIGTERM or Ctrl-C."""
    settings = instance.settings
    doctor.require_migrated(settings)
    configure_logging(settings)
    serve_instance(
        settings,
        host=host,
        port=port,
        workers=workers,
        with_worker=not no_worker,
        on_ready=lambda: click.echo(f"{settings.site_name} is at {settings.public_url}"),
    )


@main.command("demo", epilog=example("fairdatabase demo --port 8080"))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--prepare-only", is_flag=True, help="Fill the instance and do not serve it.")
@click.pass_obj
def show(instance: Instance, host: str, port: int, *, prepare_only: bool) -> None:
    """Fill an instance of its own with real data, serve it, and print how to sign in."""
    settings = demo.settings_for(instance.path, f"http://{host}:{port}")
    if prepare_only:
        click.echo(demo.prepare(settings, tell=click.echo))
        return
    preload()
    login = demo.prepare(settings, tell=click.echo)
    configure_logging(settings)
    serve_instance(
        settings,
        host=host,
        port=port,
        workers=1,
        with_worker=True,
        on_ready=lambda: click.echo(f"\n{login}\n\nPress Ctrl-C to stop."),
    )

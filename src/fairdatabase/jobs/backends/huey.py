"""Huey as the carrier of job ids: a SQLite file by default, Redis by setting.

Only ids travel, as plain text instead of Huey's pickles, so that whoever can write to the queue
can at worst make a waiting job start. States, retries and results live in the table of jobs.
"""

import logging
import sqlite3
from collections.abc import Callable
from functools import cached_property
from uuid import UUID

from huey import Huey, RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.registry import Message
from redis.exceptions import RedisError

from fairdatabase.kernel.config import Settings
from fairdatabase.kernel.errors import UnavailableError

_NAME = "fairdatabase"
_TASK = "run_job"
_POLL_SECONDS = 0.05
_LONGEST_POLL_SECONDS = 0.5
_SHUTDOWN_SECONDS = 20.0
_SCHEDULER_SECONDS = 60


class _PlainId:
    """Huey's serializer: writes a task as the job id that it is about."""

    def serialize(self, data: Message) -> bytes:
        return str(data.args[0]).encode("ascii")

    def deserialize(self, data: bytes) -> Message:
        job_id = UUID(bytes(data).decode("ascii"))
        name = f"{__name__}.{_TASK}"
        return Message(job_id.hex, name, retries=0, retry_delay=0, args=(job_id,), kwargs={})


class HueyQueue:
    """Carries ids between processes.

    Args:
        settings: Name the Redis server or the instance folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._run: Callable[[UUID], object] | None = None

    def put(self, job_id: UUID) -> None:
        """Tell one worker that this job waits."""
        self._task(job_id)

    def check(self) -> str:
        """Return the number of waiting ids; see the protocol."""
        try:
            return f"{self._huey.storage.queue_size()} waiting"
        except (RedisError, sqlite3.Error, OSError) as error:
            raise UnavailableError("The queue of jobs does not answer.") from error

    def consume(self, run: Callable[[UUID], object], *, threads: int) -> None:
        """Hand waiting ids to ``run`` until SIGTERM or SIGINT; in the main thread only.

        After SIGTERM, jobs get some seconds to end. One that does not is left to its lease.

        Args:
            run: ``Jobs.run``.
            threads: How many jobs are worked on at a time.
        """
        self._run = run
        logging.getLogger("huey").setLevel(logging.WARNING)
        consumer = Consumer(
            self._bound[0],
            workers=threads,
            periodic=False,
            initial_delay=_POLL_SECONDS,
            max_delay=_LONGEST_POLL_SECONDS,
            scheduler_interval=_SCHEDULER_SECONDS,
            shutdown_timeout=_SHUTDOWN_SECONDS,
            graceful_signal="TERM",
        )
        consumer.run()

    def close(self) -> None:
        """Close the connections of this process."""
        self._huey.storage.close()

    @property
    def _huey(self) -> Huey:
        return self._bound[0]

    @property
    def _task(self) -> Callable[[UUID], object]:
        return self._bound[1]

    @cached_property
    def _bound(self) -> tuple[Huey, Callable[[UUID], object]]:
        options = {"results": False, "serializer": _PlainId()}
        if self._settings.redis_url:
            huey = RedisHuey(_NAME, url=self._settings.redis_url, **options)
        else:
            self._settings.instance_path.mkdir(parents=True, exist_ok=True)
            huey = SqliteHuey(_NAME, filename=self._settings.instance_path / "queue.db", **options)
        return huey, huey.task(name=_TASK)(self._work)

    def _work(self, job_id: UUID) -> None:
        if self._run is None:
            message = "consume() gives this queue the function that runs jobs"
            raise RuntimeError(message)
        self._run(job_id)

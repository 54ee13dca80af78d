"""The worker: does jobs until it is told to stop.

It may be killed at any moment. Jobs it was working on are taken over by another worker, or by
the next one that starts, once their lease has run out.
"""

import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from fairdatabase.accounts import tasks as accounts
from fairdatabase.deposits import tasks as deposits
from fairdatabase.jobs.backends.huey import HueyQueue
from fairdatabase.kernel.config import Settings
from fairdatabase.knowledge import tasks as knowledge
from fairdatabase.mail import tasks as mail
from fairdatabase.privacy import tasks as privacy
from fairdatabase.services import Services, build_services

_SWEEP_SECONDS = 2.0
_STORAGE_SWEEP_SECONDS = 3600.0
logger = logging.getLogger(__name__)


def register_tasks(services: Services) -> None:
    """Tell the jobs of this process how the work of each feature is done."""
    for tasks in (mail, accounts, deposits, privacy, knowledge):
        tasks.register(services.jobs, services)


def start(settings: Settings) -> None:
    """Build the services, sweep up what an earlier worker left, and do jobs."""
    queue = HueyQueue(settings)
    services = build_services(settings, queue=queue)
    register_tasks(services)
    work(services, queue)


def work(services: Services, queue: HueyQueue) -> None:
    """Do jobs until SIGTERM or SIGINT; in the main thread only.

    Args:
        services: With all tasks registered.
        queue: The one that they put jobs into.
    """
    stop = threading.Event()
    sweeper = threading.Thread(target=_keep_sweeping, args=(services, stop), name="sweeper")
    sweeper.start()
    logger.info("The worker is ready")
    try:
        queue.consume(services.jobs.run, threads=services.settings.worker_threads)
    finally:
        stop.set()
        sweeper.join()
        logger.info("The worker has stopped")


def _keep_sweeping(services: Services, stop: threading.Event) -> None:
    next_storage_sweep = 0.0
    while True:
        try:
            services.jobs.sweep()
            if time.monotonic() >= next_storage_sweep:
                services.recovery.sweep()
                services.sessions.sweep()
                services.mail.sweep()
                services.storage.sweep()
                services.storage.erase_unused()
                services.knowledge.sweep()
                next_storage_sweep = time.monotonic() + _STORAGE_SWEEP_SECONDS
        except (SQLAlchemyError, OSError):
            logger.exception("Sweeping failed; trying again")
        if stop.wait(_SWEEP_SECONDS):
            return

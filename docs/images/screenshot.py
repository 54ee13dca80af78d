"""Take the picture in the README: the page of a demo dataset, as a visitor sees it.

Starts the demo in a folder of its own, so that the picture never depends on what an instance of
the person who runs this happens to hold.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).with_name("screenshot.png")
SECONDS_TO_START = 120
DATASET = "HITChip Atlas: age, region and body mass"


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for the demo's readiness probe.

    Raises:
        SystemExit: The demo ended, or was not ready in time.
    """
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"{url}/health/ready", timeout=2):  # noqa: S310 - our own address
                return
        except (URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise SystemExit("The demo did not start: run `make demo` to see why.")


@contextmanager
def demo() -> Iterator[str]:
    """Run the demo on a new instance and yield its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    program = Path(sys.executable).with_name("fairdatabase")
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [program, "demo", "--port", str(port)],
            env=os.environ
            | {"FAIRDATABASE_INSTANCE_PATH": f"{folder}/instance", "FAIRDATABASE_BASE_URL": url},
            start_new_session=True,
        )
        try:
            wait_until_ready(url, process)
            yield url
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)


def take() -> None:
    """Open the anonymised dataset of the demo and save the picture.

    Raises:
        SystemExit: There is no Chromium.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        raise SystemExit("Chromium is not installed (Debian: apt install chromium).")
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme="light")
        page.goto(url)
        page.get_by_role("link", name=DATASET).click()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURE)
        browser.close()
    sys.stdout.write(f"{PICTURE}\n")


if __name__ == "__main__":
    take()

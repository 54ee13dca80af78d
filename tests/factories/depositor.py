"""Somebody who deposits over the REST API of a running instance, and then looks at pages."""

from dataclasses import dataclass
from time import sleep
from typing import Any

from playwright.sync_api import APIRequestContext, Page

from tests.factories.cohorts import METADATA

PERSON = {"name": "Mary Anning", "email": "mary@example.org", "password": "a long walk by the sea"}


@dataclass(frozen=True)
class Depositor:
    """A program that deposits over the REST API."""

    api: APIRequestContext

    def call(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        """Return the data of an answer that has to be a success."""
        answer = self.api.fetch(f"/api/v1/{path}", method=method, **options)
        assert answer.ok, answer.text()
        return answer.json()["data"]

    def screened(self, content: bytes, roles: dict[str, str]) -> tuple[str, str]:
        """Lead a table as far as its verdict; return the ids of deposit and file."""
        opened = self.call("POST", "deposits", data={"metadata": METADATA, "access": "open"})
        deposit = opened["version"]["public_id"]
        file = self.call(
            "PUT",
            f"deposits/{deposit}/files/people.csv",
            data=content,
            headers={"Content-Type": "application/octet-stream"},
        )["file"]["public_id"]
        self.wait(deposit)
        edits = {"columns": {name: {"role": role} for name, role in roles.items()}}
        self.call("PATCH", f"files/{file}/columns", data=edits)
        self.wait(deposit)
        return deposit, file

    def wait(self, deposit: str) -> None:
        """Wait until all work on a deposit is done."""
        while self.call("GET", f"deposits/{deposit}")["files"][0]["stage"] == "working":
            sleep(0.2)

    def published(self, content: bytes, roles: dict[str, str]) -> tuple[str, str]:
        """Publish a table that passes the gate; return the ids of dataset and file."""
        deposit, file = self.screened(content, roles)
        dataset = self.call("POST", f"deposits/{deposit}/publication")["dataset_public_id"]
        return dataset, file


def sign_in(page: Page) -> None:
    """Sign in by the page as the person."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(PERSON["email"])
    page.get_by_label("Password").fill(PERSON["password"])
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Account: Mary Anning").wait_for()

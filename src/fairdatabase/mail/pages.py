"""Pages of letters, for development: what would have been sent, with its links."""

from flask import Blueprint, render_template

from fairdatabase.kernel.current import services
from fairdatabase.mail.rules import with_links

pages = Blueprint("mail_pages", __name__)


@pages.get("/dev/mail")
def letters() -> str:
    """List the letters that were written to the folder, newest first."""
    return render_template("mail/letters.html", letters=services().mail.kept())


@pages.get("/dev/mail/<id>")
def letter(id: str) -> str:  # noqa: A002 - named as in the address
    """Show a letter."""
    kept = services().mail.kept_letter(id)
    return render_template("mail/letter.html", letter=kept, parts=with_links(kept.text))

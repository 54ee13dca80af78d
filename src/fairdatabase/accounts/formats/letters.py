"""The letters that accounts send, word by word.

A name is used only where its owner had confirmed the address before: whoever registers chooses a
name, and could otherwise have us send their words to anybody.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from fairdatabase.accounts.schemas import LinkPurpose
from fairdatabase.mail.rules import wording
from fairdatabase.mail.schemas import Letter

_IGNORE = "If you did not ask for this, do nothing: without the link nothing happens."


class Change(StrEnum):
    """What changed of the things that protect an account; each is a kind of letter."""

    PASSWORD = "password-changed"  # noqa: S105 - a kind of letter
    FACTOR_ON = "second-factor-on"
    FACTOR_OFF = "second-factor-off"
    RECOVERY_CODES = "recovery-codes-renewed"
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"
    IDENTITY_LINKED = "identity-linked"
    IDENTITY_UNLINKED = "identity-unlinked"


_CHANGES: Final = {
    Change.PASSWORD: (
        "Your password for {site} was changed",
        "your account at {site} has a new password. All other devices were signed out.",
    ),
    Change.FACTOR_ON: (
        "Two-step sign-in at {site} was turned on",
        "signing in to your account at {site} takes a code of an authenticator app from now on.",
    ),
    Change.FACTOR_OFF: (
        "Two-step sign-in at {site} was turned off",
        "signing in to your account at {site} takes no code any more.",
    ),
    Change.RECOVERY_CODES: (
        "Your recovery codes for {site} were replaced",
        "your account at {site} has new recovery codes. The earlier ones are worthless.",
    ),
    Change.PASSKEY_ADDED: (
        "A passkey was added to your account at {site}",
        "a new passkey opens your account at {site} from now on.",
    ),
    Change.PASSKEY_REMOVED: (
        "A passkey was removed from your account at {site}",
        "a passkey opens your account at {site} no more.",
    ),
    Change.IDENTITY_LINKED: (
        "{provider} was linked to your account at {site}",
        "an account at {provider} opens your account at {site} from now on.",
    ),
    Change.IDENTITY_UNLINKED: (
        "{provider} was unlinked from your account at {site}",
        "an account at {provider} opens your account at {site} no more.",
    ),
}
"""Subject and text by what changed. No name that an intruder could choose stands in them."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Writes letters for one instance.

    Args:
        site: Its name.
        url: Its address, without a closing slash.
    """

    site: str
    url: str

    def verification(self, to: str, link: str) -> Letter:
        """Ask whether the address is right."""
        return self._letter(
            to,
            "confirm-address",
            f"Confirm your address for {self.site}",
            f"somebody, probably you, made an account at {self.site} ({self.url}) with this"
            " address. Open this link and confirm it with the password of the account:",
            link=link,
            good_for=LinkPurpose.VERIFY_EMAIL.lifetime,
            unasked=f"{_IGNORE} An account that nobody confirms is removed after a week.",
        )

    def reset(self, to: str, name: str, link: str) -> Letter:
        """Give a link to a new password."""
        return self._letter(
            to,
            "reset-password",
            f"A new password for {self.site}",
            "you can choose a new password here. It ends all sessions of your account:",
            name=name,
            link=link,
            good_for=LinkPurpose.RESET_PASSWORD.lifetime,
            unasked=_IGNORE,
        )

    def address_taken(self, to: str, name: str, link: str) -> Letter:
        """Tell the owner of an account that somebody wanted another one with its address."""
        return self._letter(
            to,
            "address-taken",
            f"You have an account at {self.site}",
            f"somebody, perhaps you, wanted to make an account at {self.site} ({self.url}) with"
            " this address, which has one already. Sign in with it; if you do not know its"
            " password, choose a new one here:",
            name=name,
            link=link,
            good_for=LinkPurpose.RESET_PASSWORD.lifetime,
            unasked="If it was somebody else, do nothing: they were told nothing, and your account"
            " is as it was.",
        )

    def changed(self, to: str, name: str, change: Change, *, provider: str = "") -> Letter:
        """Tell the owner that something that protects the account is not what it was."""
        subject, text = (
            each.format(site=self.site, provider=provider) for each in _CHANGES[change]
        )
        return self._letter(
            to,
            change.value,
            subject,
            text,
            name=name,
            unasked=f"If this was not you, set a new password at once at {self.url}/forgotten, look"
            f" at everything on {self.url}/account/security, and tell an admin.",
        )

    def sign_ins_failing(self, to: str, name: str, failures: int) -> Letter:
        """Tell the owner that somebody tries passwords."""
        return self._letter(
            to,
            "sign-ins-failing",
            f"Failed sign-ins to your account at {self.site}",
            f"a wrong password was given for your account {failures} times in a row. Further"
            " attempts have to wait, up to a quarter of an hour each, and so do yours.",
            name=name,
            unasked="If it was you and you do not know your password any more, choose a new one at"
            f" {self.url}/forgotten, which also ends the wait. If it was somebody else, your"
            " password has kept them out; a second factor does so even when it becomes known.",
        )

    def change_of_address(self, to: str, name: str, link: str) -> Letter:
        """Ask at the new address whether it is the person's."""
        return self._letter(
            to,
            "confirm-new-address",
            f"Confirm your new address for {self.site}",
            f"this shall become the address of your account at {self.site}. Open this link to"
            " confirm it:",
            name=name,
            link=link,
            good_for=LinkPurpose.CHANGE_EMAIL.lifetime,
            unasked=_IGNORE,
        )

    def new_address_taken(self, to: str, name: str) -> Letter:
        """Tell the owner of an account that another one was to get its address."""
        return self._letter(
            to,
            "address-taken",
            f"You have an account at {self.site}",
            f"this was given as the new address of another account at {self.site}. It is yours"
            " already, so nothing was changed. If both accounts are yours, use the one that has"
            " this address, or change its address first.",
            name=name,
            unasked="If it was somebody else, do nothing: they were told nothing.",
        )

    def address_changed(self, to: str, name: str) -> Letter:
        """Tell the old address that it is the account's no more."""
        return self._letter(
            to,
            "address-changed",
            f"Your address at {self.site} was changed",
            f"your account at {self.site} has another address from now on, which was confirmed"
            " by a letter to it. Nothing more will come to this one.",
            name=name,
            unasked="If this was not you, tell an admin at once: somebody else has your account.",
        )

    def invitation(self, to: str, inviter: str, link: str) -> Letter:
        """Invite somebody."""
        who = inviter or "The people who run it"
        return self._letter(
            to,
            "invitation",
            f"Your invitation to {self.site}",
            f"{who} invited you to {self.site} ({self.url}), a platform for research data. Open"
            " this link to make your account:",
            link=link,
            good_for=LinkPurpose.INVITATION.lifetime,
            unasked="If you do not want an account, do nothing.",
        )

    def address_code(self, to: str, code: str) -> Letter:
        """Give a code that proves whose address it is."""
        return self._letter(
            to,
            "confirm-address",
            f"{code} is your code for {self.site}",
            f"somebody, probably you, is making an account at {self.site} ({self.url}) with this"
            f" address. Type this code there: {code}",
            unasked="If it was not you, do nothing, and tell the code to nobody.",
        )

    def address_taken_elsewhere(self, to: str, name: str, provider: str) -> Letter:
        """Tell the owner of an account that somebody came by a provider with its address."""
        return self._letter(
            to,
            "address-taken",
            f"You have an account at {self.site}",
            f"somebody, perhaps you, wanted to make an account at {self.site} with this address by"
            f" signing in at {provider}. There is one already. Sign in to it at"
            f" {self.url}/sign-in and link {provider} there, under Security.",
            name=name,
            unasked="If it was somebody else, do nothing: they were told nothing, and your account"
            " is as it was.",
        )

    def _letter(
        self,
        to: str,
        kind: str,
        subject: str,
        text: str,
        *,
        name: str = "",
        link: str = "",
        good_for: timedelta | None = None,
        unasked: str,
    ) -> Letter:
        body = wording(
            site=self.site,
            name=name,
            paragraphs=(text,),
            link=link,
            good_for=good_for,
            unasked=unasked,
        )
        return Letter(to=to, subject=subject, text=body, kind=kind)

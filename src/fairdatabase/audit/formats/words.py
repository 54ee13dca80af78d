"""Acts in the reader's words."""

from typing import Final

ACTIONS: Final = {
    "access.denied": "Was refused",
    "audit.exported": "Exported the audit log",
    "community.changed": "Changed a community",
    "community.created": "Founded a community",
    "community.policy-changed": "Changed what a community asks",
    "dataset.access-changed": "Changed who may read the data",
    "dataset.columns-changed": "Changed columns",
    "dataset.community-changed": "Changed the community of a dataset",
    "dataset.created": "Opened a dataset",
    "dataset.data-read": "Looked at data that are not open",
    "dataset.discarded": "Discarded a draft",
    "dataset.downloaded": "Downloaded a file that is not open",
    "dataset.exported": "Exported a table that is not open",
    "dataset.file-added": "Added a file",
    "dataset.file-removed": "Removed a file",
    "dataset.file-reread": "Had a file read anew",
    "dataset.metadata-changed": "Changed the description",
    "dataset.published": "Published a version",
    "dataset.release-discarded": "Discarded a release",
    "dataset.release-made": "Made a release",
    "dataset.release-requested": "Asked for a release",
    "dataset.screened": "Measured the risk of a table",
    "dataset.table-read": "Read a file as a table",
    "dataset.version-opened": "Opened the next version",
    "dataset.withdrawn": "Withdrew a version",
    "knowledge.gap-dismissed": "Dismissed a gap of the knowledge base",
    "knowledge.source-added": "Added a source of documents",
    "knowledge.source-refreshed": "Had a source of documents loaded anew",
    "knowledge.source-removed": "Removed a source of documents",
    "knowledge.source-scheduled": "Changed how often a source of documents is loaded",
    "user.consent-given": "Agreed to a document",
    "user.consent-withdrawn": "Took an agreement back",
    "user.created": "Made an account",
    "user.data-exported": "Exported personal data",
    "user.deleted": "Deleted an account",
    "user.password-changed": "Changed a password",
    "user.refresh-token-reused": "A copied token ended a session",
    "user.roles-changed": "Changed roles",
    "user.sign-in-failed": "Failed to sign in",
    "user.signed-in": "Signed in",
    "user.signed-out": "Signed out",
}


def in_words(action: str) -> str:
    """Return what was done, for a person; acts without words of their own by their name."""
    if action in ACTIONS:
        return ACTIONS[action]
    subject, _, verb = action.rpartition(".")
    return f"{subject.capitalize()}: {verb.replace('-', ' ')}" if subject else action

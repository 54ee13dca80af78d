"""What can go wrong, in words that say what to do."""


class KnowledgeBaseError(Exception):
    """Base of all errors; also raised where an answer is demanded and there is none."""


class LocationError(KnowledgeBaseError):
    """A location cannot be read as one, or there is nothing at it."""


class UnreachableError(KnowledgeBaseError):
    """A place outside could not be reached, or may not be."""


class LimitError(KnowledgeBaseError):
    """A source is larger than what is taken."""


class UnavailableError(KnowledgeBaseError):
    """Something optional that is needed for this is not installed or not configured."""

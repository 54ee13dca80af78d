"""Why an act was refused, where the general errors say too little."""

from fairdatabase.kernel.errors import PermissionDeniedError


class ConfirmationRequiredError(PermissionDeniedError):
    """The act is dangerous: the person has to prove again that it is them."""

    code = "confirmation-required"
    title = "Please confirm that it is you"


class ScopeError(PermissionDeniedError):
    """The personal access token was not given the scope that this needs."""

    code = "insufficient-scope"
    title = "The token may not do this"

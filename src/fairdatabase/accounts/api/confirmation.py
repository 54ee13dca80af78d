"""Second steps over REST: finishing a sign-in, signing in by passkey, confirming."""

from flask import Response
from flask_openapi3 import APIBlueprint, Tag

from fairdatabase.accounts.authentication import device, limit_proofs, tokens_for
from fairdatabase.accounts.schemas import Tokens
from fairdatabase.accounts.schemas.sessions import (
    ConfirmationAnswer,
    PasskeyAnswer,
    PasskeyQuestion,
    SecondFactorAnswer,
    Ticket,
)
from fairdatabase.kernel.current import actor, services
from fairdatabase.kernel.http import Success, problems, success

_TAG = Tag(name="confirmation", description="Second steps, passkeys, and confirming who you are")
_SIGNED_IN: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
api = APIBlueprint(
    "confirmation_api",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[_TAG],
    abp_responses=problems(429),
)


@api.post("/auth/login/second-factor", responses={200: Success[Tokens], **problems(401, 422)})
@limit_proofs
def finish(body: SecondFactorAnswer) -> Response:
    """Finish a sign-in that was answered with 202: a pair of tokens for ticket and factor."""
    return success(tokens_for(services().confirmation.finish(body, device=device())))


@api.post(
    "/auth/login/second-factor/passkey",
    responses={200: Success[PasskeyQuestion], **problems(401, 422)},
)
@limit_proofs
def second_step_question(body: Ticket) -> Response:
    """Ask for a question to answer by passkey as the second factor."""
    return success(services().confirmation.question_for_second_step(body.ticket))


@api.post("/auth/passkey/options", responses={200: Success[PasskeyQuestion]})
@limit_proofs
def sign_in_question() -> Response:
    """Ask for a question to sign in by: any passkey may answer it."""
    return success(services().confirmation.question_to_sign_in())


@api.post("/auth/passkey", responses={200: Success[Tokens], **problems(401, 422)})
@limit_proofs
def sign_in(body: PasskeyAnswer) -> Response:
    """Sign in by a passkey, without a password: a pair of tokens."""
    return success(tokens_for(services().confirmation.sign_in(body, device=device())))


@api.post(
    "/auth/confirm/passkey",
    responses={200: Success[PasskeyQuestion], **problems(401, 403)},
    security=_SIGNED_IN,
)
@limit_proofs
def confirm_question() -> Response:
    """Ask for a question to confirm by: one of your passkeys may answer it."""
    return success(services().confirmation.question_to_confirm(actor()))


@api.post(
    "/auth/confirm",
    responses={200: Success[None], **problems(401, 403, 422)},
    security=_SIGNED_IN,
)
@limit_proofs
def confirm(body: ConfirmationAnswer) -> Response:
    """Prove that it is still you, by password, code or passkey, before what is dangerous."""
    services().confirmation.confirm(actor(), body)
    return success(None)

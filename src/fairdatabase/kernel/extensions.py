"""Flask extensions, created once and bound to an application by ``create_app``."""

from ipaddress import IPv6Address, ip_address

from flask import request
from flask_cors import CORS
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter, RateLimitExceeded

from fairdatabase.kernel import current
from fairdatabase.kernel.errors import RateLimitError

_IPV6_NETWORK_BITS = 64


def client_network() -> str:
    """Return whom a limit per address counts: an IPv4 address or an IPv6 /64 network.

    One household or server is given a whole /64, so counting single IPv6 addresses limits nobody.
    """
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _IPV6_NETWORK_BITS << _IPV6_NETWORK_BITS))
    return str(address)


def caller() -> str:
    """Return whom the general limit counts: the account, or the network of those without."""
    return current.actor().public_id or client_network()


def general_limit() -> str:
    """Return the limit of requests that have no stricter one."""
    return current.services().settings.rate_limit


def asked_too_often(error: RateLimitExceeded) -> RateLimitError:
    """Return the limiter's error in the platform's words."""
    return RateLimitError(
        f"Too many requests: the limit is {error.description}. Please wait a moment."
    )


jwt = JWTManager()
cors = CORS()
limiter = Limiter(
    key_func=caller,
    default_limits=[general_limit],
    strategy="moving-window",
    headers_enabled=True,
    in_memory_fallback_enabled=True,
)


@limiter.request_filter
def without_limits() -> bool:
    """Tell whether this instance is set to count no requests.

    The limiter's own switch is the process's: the application made last would set it for all.
    """
    return not current.services().settings.rate_limits_enabled

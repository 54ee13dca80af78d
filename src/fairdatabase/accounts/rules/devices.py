"""How a device is shown to its owner: by its browser, its system and about where it is."""

from ipaddress import ip_address, ip_network
from typing import Final

_UNKNOWN: Final = "Unknown device"
# The first that occurs is taken: browsers name those that they descend from as well.
_PROGRAMS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "A Python program"),
    ("Python", "A Python program"),
    ("libcurl", "An R program"),
    ("Java", "A Java program"),
    ("Go-http-client", "A Go program"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_KEPT_BITS: Final = {4: 24, 6: 48}


def device_in_words(user_agent: str) -> str:
    """Return what a device is, such as ``Firefox on Windows``, from what it calls itself.

    What it calls itself proves nothing; it helps its owner to recognise it.
    """
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(filter(None, (program, system))) or _UNKNOWN


def shortened(address: str) -> str:
    """Return the network that an address is in, without the part that is one household's.

    Args:
        address: An IP address; anything else gives an empty text.
    """
    try:
        whole = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{whole}/{_KEPT_BITS[whole.version]}", strict=False))

"""Canaille with one person and one client: ``canaille_server.py PORT REDIRECT_URI...``."""

import sys

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server


def main(port: int, redirect_uris: list[str]) -> None:
    """Serve until the process is ended."""
    key = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)
    app = create_app(
        {
            "SECRET_KEY": "canaille" * 8,
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "SMTP": None, "LOGGING": {"version": 1}},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key]},
        }
    )
    with app.app_context():
        person = models.User(
            user_name="marie",
            formatted_name="Marie Curie",
            family_name="Curie",
            emails=["marie@example.org"],
            password="radium and polonium",
        )
        client = models.Client(
            client_id="fairdatabase",
            client_secret="a secret between two sites",
            client_name="FAIRDatabase",
            redirect_uris=redirect_uris,
            grant_types=["authorization_code"],
            response_types=["code"],
            scope=["openid", "email", "profile"],
            token_endpoint_auth_method="client_secret_basic",
            client_uri="http://127.0.0.1",
        )
        for each in (person, client):
            Backend.instance.save(each)
        client.audience = [client]
        Backend.instance.save(client)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

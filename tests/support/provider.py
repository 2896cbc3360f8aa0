"""A sign-in provider on loopback: OAuth 2 with PKCE and OpenID Connect discovery, as a page and as JSON."""

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlencode

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class StandInProvider:
    """`person` is what it says about whoever signs in; `says` replaces answers: path -> (status, body)."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {
            "sub": "person-1", "id": 1, "email": "ada@example.org", "email_verified": True,
            "given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace",
        }  # fmt: skip
        self.emails: Any = [
            {"email": "old@example.org", "primary": False, "verified": True},
            {"email": "ada@example.org", "primary": True, "verified": True},
        ]
        self.says: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self._server: HTTPServer | None = None
        self.url = ""

    def start(self) -> None:
        (socket,) = bind_sockets(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        self._server = HTTPServer(Application([(r"/(.*)", _Endpoint, {"provider": self})]))
        self._server.add_sockets([socket])

    async def stop(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()

    def settings(self, provider: str) -> dict[str, str]:
        """What makes a server sign in here."""
        known = {f"{provider}_client_id": "taskroom", f"{provider}_client_secret": "s3cret & more"}
        if provider == "oidc":
            return known | {"oidc_issuer": self.url, "oidc_name": "House account"}
        paths = {"authorize": "authorize", "token": "token", "userinfo": "userinfo"}
        known |= {f"{provider}_{name}_url": f"{self.url}/{path}" for name, path in paths.items()}
        return known | ({"github_emails_url": f"{self.url}/emails"} if provider == "github" else {})


class _Endpoint(RequestHandler):
    def initialize(self, provider: StandInProvider) -> None:
        self.provider = provider

    def get(self, path: str) -> None:
        self._answer(path)

    def post(self, path: str) -> None:
        self._answer(path)

    def _answer(self, path: str) -> None:
        provider = self.provider
        provider.asked.append(path)
        if path in provider.says:
            status, body = provider.says[path]
            self.set_status(status)
            self.finish(body)
            return
        answer = {
            ".well-known/openid-configuration": self._discovery,
            "authorize": self._page,
            "agree": self._agree,
            "token": self._token,
            "userinfo": self._userinfo,
            "emails": self._emails,
        }.get(path)
        if answer is None:
            self.set_status(404)
        else:
            answer()

    def _discovery(self) -> None:
        url = self.provider.url
        self.write(
            {
                "issuer": url + "/",
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/userinfo",
            }
        )

    def _page(self) -> None:
        assert self.get_query_argument("response_type") == "code"
        assert self.get_query_argument("code_challenge_method") == "S256"
        query = urlencode({name: values[-1] for name, values in self.request.query_arguments.items()})
        self.write(f'<!doctype html><title>Provider</title><a id="agree" href="/agree?{query}">Agree</a>')

    def _agree(self) -> None:
        code = secrets.token_urlsafe(8)
        names = ("client_id", "redirect_uri", "code_challenge")
        self.provider.codes[code] = {name: self.get_query_argument(name) for name in names}
        back = urlencode({"code": code, "state": self.get_query_argument("state")})
        self.redirect(f"{self.get_query_argument('redirect_uri')}?{back}")

    def _token(self) -> None:
        given = self.provider.codes.pop(self.get_body_argument("code"), None)
        verifier = self.get_body_argument("code_verifier").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        right = given == {
            "client_id": self.get_body_argument("client_id"),
            "redirect_uri": self.get_body_argument("redirect_uri"),
            "code_challenge": challenge,
        }
        if not right or self.get_body_argument("client_secret") != "s3cret & more":
            self.set_status(400)
            self.write({"error": "invalid_grant"})
            return
        token = secrets.token_urlsafe(8)
        self.provider.tokens.add(token)
        self.write({"access_token": token, "token_type": "Bearer", "scope": "email"})

    def _allowed(self) -> bool:
        token = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.provider.tokens:
            self.set_status(401)
        return token in self.provider.tokens

    def _userinfo(self) -> None:
        if self._allowed():
            self.write(self.provider.person)

    def _emails(self) -> None:
        if self._allowed():
            self.finish(json.dumps(self.provider.emails))

"""Sends every request as an admin. The fuzz test ends sessions, also its own, so it logs in again and again."""

import json
import os
from urllib.request import Request, urlopen

import schemathesis


@schemathesis.auth(refresh_interval=1)
class Admin:
    def get(self, case, context):
        body = json.dumps({"email": "admin@driftsentry.local", "password": "admin123"}).encode()
        login = Request(os.environ["API"] + "/api/auth/login", body, {"Content-Type": "application/json"})
        with urlopen(login) as answer:
            login = json.load(answer)["data"]
        return login["accessToken"], login["user"]["id"]

    def set(self, case, login, context):
        token, user = login
        # The admin may do anything except remove its own rights.
        if case.path != "/api/auth/logout" and case.path_parameters.get("id") != user:
            case.headers["Authorization"] = f"Bearer {token}"

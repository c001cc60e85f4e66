"""Receives webhooks of DriftSentry, with the standard library only: WEBHOOK_SECRET=whsec_… PORT=8000 python3 receiver.py

During a rotation, WEBHOOK_SECRET can have both secrets, separated by a space.
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = [base64.b64decode(secret.removeprefix("whsec_")) for secret in os.environ["WEBHOOK_SECRET"].split()]
MAX_BYTES = 1 << 20
TOLERANCE_SECONDS = 5 * 60
REMEMBER_SECONDS = 48 * 3600

# A delivery can arrive twice, with the same id. Keep the ids in your database if the process may restart.
seen, lock = {}, threading.Lock()


def is_new(identifier):
    now = time.time()
    with lock:
        for old in [old for old, at in seen.items() if now - at > REMEMBER_SECONDS]:
            del seen[old]
        if identifier in seen:
            return False
        seen[identifier] = now
        return True


def is_signed(headers, body):
    """Returns whether a secret signed this body within the last five minutes."""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{identifier}.{timestamp}.".encode() + body
    wanted = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)) for secret in SECRETS]
    # While a secret is replaced, the header has two signatures.
    given = [one.removeprefix("v1,").encode() for one in headers.get("webhook-signature", "").split()]
    return any(hmac.compare_digest(one, other) for one in given for other in wanted)


class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > MAX_BYTES:
            return self.respond(413)
        body = self.rfile.read(int(length))
        # The signature is that of the bytes, so verify before you parse.
        if not is_signed(self.headers, body):
            return self.respond(401)
        # Respond first and work later: after ten seconds, the delivery counts as failed.
        self.respond(204)
        if is_new(self.headers["webhook-id"]):
            event = json.loads(body)
            print(event["type"], event["data"].get("id"), flush=True)

    def respond(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Receiver)
    print("listening on", server.server_port, flush=True)
    server.serve_forever()

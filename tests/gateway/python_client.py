"""python-socketio's client, driven by a test: a command is a line of JSON on standard input, and what
the client answers and hears is a line of JSON each on standard output."""

import json
import sys
import threading

import socketio

printing = threading.Lock()


def tell(**what):
    with printing:
        print(json.dumps(what), flush=True)


def watch(client, namespace):
    client.on("*", lambda event, *args: tell(event=event, args=args), namespace=namespace)
    client.on("connect_error", lambda error: tell(refused=error), namespace=namespace)
    client.on("disconnect", lambda reason: tell(disconnected=reason), namespace=namespace)


def main():
    client = socketio.Client(reconnection_delay=0.01)
    for line in sys.stdin:
        command = json.loads(line)
        what, namespace = command["do"], command["namespace"]
        if what == "connect":
            watch(client, namespace)
            client.connect(command["url"], namespaces=[namespace], wait=False, **command["options"])
        elif what == "ask":
            tell(answer=client.call(command["event"], command["data"], namespace=namespace, timeout=10))
        elif what == "upload":
            data = ("a text", b"\x01\x02\x03", {"nested": b"\x04"})
            tell(answer=client.call("upload", data, namespace=namespace, timeout=10))
        elif what == "look":
            tell(sid=client.get_sid(namespace), transport=client.transport())
        elif what == "wait":
            client.wait()
            tell(over=True)


main()

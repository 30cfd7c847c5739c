"""A headless Chromium that tests drive by the DevTools protocol, over two pipes.

Nothing but the standard library is needed: ``--remote-debugging-pipe`` makes Chromium read commands
from descriptor 3 and write answers to descriptor 4, JSON documents that end in a zero byte.
"""

import itertools
import json
import os
import select
import shutil
import signal
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60.0  # seconds that one command may take


def find_chromium():
    """Path of a Chromium, or None."""
    named = os.environ.get("MIDWAY_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One browser with one page; use it in a ``with`` statement."""

    def __init__(self, executable, profile):
        options = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
            "about:blank",
        )
        read, self.to = os.pipe()
        self.out, write = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, read, 3),
            (os.POSIX_SPAWN_DUP2, write, 4),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        self.pid = os.posix_spawn(
            executable, [executable, *options], os.environ, file_actions=actions, setpgroup=0
        )
        os.close(read)
        os.close(write)
        self.numbers, self.rest, self.events, self.session = itertools.count(1), b"", [], None

    def __enter__(self):
        page = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.to)
        os.close(self.out)

    def call(self, method, **params):
        """Send a command and return its result; events that come meanwhile are kept."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        answer = self._next(lambda found: found.get("id") == number)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path, *, width=1280, height=900, dark=False):
        """Show a file at some width, in the light or dark scheme, and wait until it is there."""
        self.events.clear()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=path.as_uri())
        loaded = "Page.loadEventFired"
        if not any(event["method"] == loaded for event in self.events):
            self._next(lambda found: found.get("method") == loaded)

    def ask(self, expression):
        """Return the value of a JavaScript expression, or what it promises."""
        how = {"returnByValue": True, "awaitPromise": True}
        result = self.call("Runtime.evaluate", expression=expression, **how)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def complaints(self):
        """What the console, the log or an uncaught exception has said since `open`."""
        said = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [event for event in self.events if event["method"] in said]

    def press(self, key, code):
        """Press a key and let go of it."""
        text = "\r" if key == "Enter" else ""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    def _next(self, wanted):
        """Read messages until one is wanted; the others are events."""
        end = time.monotonic() + PATIENCE
        while True:
            while b"\0" in self.rest:
                message, self.rest = self.rest.split(b"\0", 1)
                found = json.loads(message)
                if "method" in found:
                    self.events.append(found)
                if wanted(found):
                    return found
            ready, _, _ = select.select([self.out], [], [], max(end - time.monotonic(), 0))
            assert ready, "Chromium does not answer"
            read = os.read(self.out, 1 << 20)
            assert read, "Chromium has ended"
            self.rest += read

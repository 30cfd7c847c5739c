"""As much of the model hub's HTTP interface as its real client needs to fetch one repository."""

import hashlib
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from serving import serving

COMMIT = "c0ffee" * 6 + "c0de"


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files`` as the repository ``test/tiny`` with the branch ``main``."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Requests are kept in ``server.requests``, not printed."""

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        path = unquote(urlsplit(self.path).path)
        self.server.requests.append(f"{self.command} {path}")
        api, files = "/api/models/test/tiny", self.server.files
        if path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            siblings = [{"rfilename": name} for name in files]
            self.json({"id": "test/tiny", "sha": COMMIT, "siblings": siblings, "private": False})
        elif path.startswith(f"{api}/tree/{COMMIT}"):
            self.json(
                [
                    {"type": "file", "path": name, "size": len(data), "oid": etag(data)}
                    for name, data in files.items()
                ]
            )
        elif path.startswith(("/test/tiny/resolve/main/", f"/test/tiny/resolve/{COMMIT}/")):
            self.file(path.split("/", 5)[5])
        elif path.startswith((api, "/test/tiny/")):
            self.missing("RevisionNotFound")
        else:
            self.missing("RepoNotFound")

    def file(self, name):
        data = self.server.files.get(name)
        if data is None:
            self.missing("EntryNotFound")
            return
        begin, total = 0, len(data)
        given = self.headers.get("Range", "")
        if given.startswith("bytes="):
            first, _, last = given.removeprefix("bytes=").partition("-")
            begin, end = int(first), int(last) if last else total - 1
            data = data[begin : end + 1]
        headers = {"ETag": f'"{etag(self.server.files[name])}"', "Accept-Ranges": "bytes"}
        if given:
            headers["Content-Range"] = f"bytes {begin}-{begin + len(data) - 1}/{total}"
        self.send(206 if given else 200, data, "application/octet-stream", headers)

    def json(self, value):
        self.send(200, json.dumps(value).encode(), "application/json", {})

    def missing(self, code):
        self.send(404, b'{"error": "not here"}', "application/json", {"X-Error-Code": code})

    def send(self, status, body, kind, headers):
        self.send_response(status)
        fixed = {"Content-Type": kind, "Content-Length": len(body), "X-Repo-Commit": COMMIT}
        for name, value in {**fixed, **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def etag(data):
    """A git blob's id, as the hub gives for small files."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def serve(folder: Path):
    """Serve the files of `folder`; yields the server, with ``url``, ``files`` and ``requests``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    server.requests = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield server

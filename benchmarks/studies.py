"""Made-up studies for benchmarks: many stages, or many scores; nothing here needs data.

``python -m benchmarks.studies FOLDER`` writes the report of the scores in a folder and prints the
seconds that took, reading them included.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

STUDY = """
name = "made-up"
encoder = "encoder"
seeds = {seeds}

[train]
batch_size = 4
epochs = 1
max_length = 64
precision = "float32"
{intermediates}
[[target]]
task = "sampler-qa"
train = {{ languages = ["en"], examples = 8 }}
evaluate = {{ languages = ["en", "sw"], examples = 4 }}

[[target]]
task = "sampler-ner"
train = {{ languages = ["en"], examples = 8 }}
evaluate = {{ languages = ["en", "sw"], examples = 4 }}
"""
INTERMEDIATE = """
[[intermediate]]
name = "qa-{number}"
mix = [{{ task = "sampler-qa", languages = ["{language}"], examples = {examples} }}]
"""
LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "id", "ru", "sw", "te", "tr", "yo", "zh")
TARGETS = {"tydiqa": 45.0, "xquad": 60.0, "mlqa": 55.0, "afriqa": 40.0}
SPOKEN, EXAMPLES, SEEDS = 40, 100, 20


def write_encoder(folder: Path) -> None:
    """A random BERT of two layers, with a tokenizer of the sampler's English and Swahili."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
    from transformers.utils import logging

    from midway.tasks import load_card

    logging.disable_progress_bar()
    card = load_card("sampler-qa")
    texts = [
        text
        for code in ("en", "sw")
        for example in card.read(card.find((), "train", code), "train", code).examples[:300]
        for text in (example.context, example.question)
    ]
    tokenizer = BertWordPieceTokenizer(lowercase=False)
    tokenizer.train_from_iterator(texts, vocab_size=600, show_progress=False)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=512,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer, unk_token="[UNK]", sep_token="[SEP]",
        pad_token="[PAD]", cls_token="[CLS]", mask_token="[MASK]",
    ).save_pretrained(folder)  # fmt: skip


def write_study(folder: Path, stages: int, intermediates: int) -> Path:
    """A study with about so many stages: as many seeds as it takes."""
    folder.mkdir(parents=True, exist_ok=True)
    write_encoder(folder / "encoder")
    path = folder / "study.toml"
    with tempfile.TemporaryDirectory() as name:
        one, two = (_stages(path, seeds, intermediates, Path(name)) for seeds in (1, 2))
    seeds = max(1, round(1 + (stages - one) / (two - one)))
    path.write_text(_text(seeds, intermediates), encoding="utf-8")
    return path


def _stages(path: Path, seeds: int, intermediates: int, store: Path) -> int:
    path.write_text(_text(seeds, intermediates), encoding="utf-8")
    return count_stages(path, store)


def count_stages(study: Path, store: Path) -> int:
    """Stages of a study's plan."""
    from midway.store.local import Store
    from midway.studies.session import plan_study

    return len(plan_study(study, Store(store), ()).stages)


def _text(seeds: int, intermediates: int) -> str:
    tables = [
        INTERMEDIATE.format(number=k, language=LANGUAGES[k % len(LANGUAGES)], examples=8 + k)
        for k in range(intermediates)
    ]
    return STUDY.format(seeds=list(range(1, seeds + 1)), intermediates="".join(tables))


def write_scores(folder: Path, rows: int) -> int:
    """Score artefacts of a sweep that make about so many result rows.

    Four targets of question answering in 40 languages of 100 examples, 20 seeds, and as many
    intermediates as it takes; an example is right with a chance that depends on target, language,
    intermediate and seed.

    Returns:
        How many rows they make: six for each run and language.
    """
    from midway.tasks import load_card

    per_seed = len(TARGETS) * SPOKEN * 6
    seeds = min(SEEDS, max(2, rows // (3 * per_seed)))
    count = max(1, round(rows / (per_seed * seeds)) - 1)
    names = ["none", *(f"intermediate-{k}" for k in range(count))]
    codes = load_card("udpos").languages[:SPOKEN]
    rng = np.random.default_rng(0)
    languages = pa.array(np.repeat(codes, EXAMPLES))
    ids = pa.array([f"{code}-{k}" for code in codes for k in range(EXAMPLES)])
    ones = pa.array(np.ones(len(ids)))
    for target, base in TARGETS.items():
        hard, level = rng.random((SPOKEN, EXAMPLES)), rng.normal(0, 0.05, (SPOKEN, 1))
        for number, name in enumerate(names):
            gain = 0.0 if not number else rng.normal(0.03, 0.03)
            for seed in range(1, seeds + 1):
                chance = base / 100 + level + gain + rng.normal(0, 0.01)
                right = (hard + rng.normal(0, 0.05, hard.shape) < chance).astype(float)
                scores = {
                    code: {"n": EXAMPLES, "official": metrics, "clean": metrics}
                    for code, share in zip(codes, right.mean(1).tolist(), strict=True)
                    for metrics in [{"f1": 100 * share, "exact_match": 80 * share}]
                }
                out = folder / "scores" / f"{target}.{name}.{seed}"
                out.mkdir(parents=True)
                (out / "scores.json").write_text(json.dumps({"languages": scores}))
                columns = {"language": languages, "id": ids, "numerator": right.reshape(-1)}
                pq.write_table(pa.table({**columns, "denominator": ones}), out / "examples.parquet")
    return per_seed * seeds * len(names)


def main() -> None:
    """Write the report of a folder of scores."""
    folder = Path(sys.argv[1])
    began = time.perf_counter()
    from midway.analysis import ScoredRun
    from midway.report import write_report

    runs = []
    for path in sorted((folder / "scores").iterdir()):
        target, name, seed = path.name.split(".")
        runs.append(ScoredRun(name, target, int(seed), "test", path, "span_qa", "f1", True))
    write_report("made-up", "", runs, {"encoder": "made-up"}, folder / "out")
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()

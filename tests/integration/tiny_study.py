"""A whole study in seconds: benchmark files in three languages, a random encoder, a study file.

The text is ours. `midway` runs the command line in this process, `spawn` in one of its own.
"""

import json
import os
import random
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

Said = namedtuple("Said", "code out err")

NAMES = ("Anna", "Juma", "Aino", "Omar", "Liisa", "Neema", "Pekka", "Rosa", "Baraka", "Elsa")
PLACES = ("Turku", "Moshi", "Oulu", "Tanga", "Lahti", "Mwanza", "Espoo", "Arusha")
# Per language: a sentence about who lives where, a question, tagged words, things.
LANGUAGES = {
    "en": (
        "{who} lives in {where} and sells {what}.",
        "Where does {who} live?",
        "{who}/PROPN sells/VERB {what}/NOUN in/ADP {where}/PROPN ./PUNCT",
        ("bread", "milk", "fish", "books"),
    ),
    "fi": (
        "{who} asuu paikassa {where} ja myy tavaraa nimeltä {what}.",
        "Missä {who} asuu?",
        "{who}/PROPN myy/VERB tavaraa/NOUN {what}/NOUN täällä/ADV ./PUNCT",
        ("leipä", "maito", "kala", "kirja"),
    ),
    "sw": (
        "{who} anaishi {where} na anauza {what}.",
        "{who} anaishi wapi?",
        "{who}/PROPN anauza/VERB {what}/NOUN huko/ADV {where}/PROPN ./PUNCT",
        ("mkate", "maziwa", "samaki", "vitabu"),
    ),
}
ENGLISH_NAMES = {"en": "english", "fi": "finnish", "sw": "swahili"}

STUDY = """
name = "tiny"
encoder = "encoder"
seeds = [{seeds}]

[train]
learning_rate = 3e-3
batch_size = 4
epochs = {epochs}
max_length = 64
precision = "float32"

[[intermediate]]
name = "squad-en"
mix = [{{ task = "squad", examples = 24 }}]

[[intermediate]]
name = "xquad-both"
mix = [{{ task = "xquad", languages = ["en", "ro"], examples = 24 }}]

[[target]]
task = "tydiqa"
train = {{ languages = ["en"], examples = 16 }}
evaluate = {{ examples = 12 }}

[[target]]
task = "udpos"
epochs = 8

[[target]]
task = "tatoeba"
layers = "all"

[compare]
contrasts = [["xquad-both", "squad-en"]]
match = "examples"
"""


def facts(language, count, salt):
    """Draw `count` (who, where, what), the same in every language for equal salts."""
    chance = random.Random(salt)
    things = LANGUAGES[language][3]
    return [
        {"who": chance.choice(NAMES), "where": chance.choice(PLACES),
         "what": things[chance.randrange(len(things))]}
        for _ in range(count)
    ]  # fmt: skip


def squad(language, count, salt, prefix=""):
    """Write questions in SQuAD's layout, two to an article."""
    text, question, _, _ = LANGUAGES[language]
    articles = []
    for number, fact in enumerate(facts(language, count, salt)):
        context = text.format(**fact)
        answers = [{"text": fact["where"], "answer_start": context.index(fact["where"])}]
        asked = {"id": f"{prefix}{number}", "question": question.format(**fact), "answers": answers}
        paragraph = {"context": context, "qas": [asked]}
        if number % 2 == 0:
            articles.append({"title": f"Article {number // 2}", "paragraphs": []})
        articles[-1]["paragraphs"].append(paragraph)
    return json.dumps({"version": "1.1", "data": articles}, ensure_ascii=False)


def conllu(language, count, salt):
    """Write tagged sentences in CoNLL-U."""
    lines = []
    for number, fact in enumerate(facts(language, count, salt)):
        lines.append(f"# sent_id = {language}-{number}")
        words = [pair.rsplit("/", 1) for pair in LANGUAGES[language][2].format(**fact).split()]
        for place, (form, tag) in enumerate(words, start=1):
            lines.append("\t".join([str(place), form, form, tag, *"_____", "_"]))
        lines.append("")
    return "\n".join(lines) + "\n"


def write(path, text):
    """Write `text`, making folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_data(folder):
    """Write SQuAD, XQuAD, TyDiQA, UD and Tatoeba files in their original layouts."""
    write(folder / "squad/train-v1.1.json", squad("en", 40, 1))
    write(folder / "squad/dev-v1.1.json", squad("en", 10, 2))
    for language, source in (("en", "en"), ("ro", "fi")):
        write(folder / f"xquad/xquad.{language}.json", squad(source, 24, 3))
    for language, name in ENGLISH_NAMES.items():
        for part, count in (("train", 24), ("dev", 14)):
            text = squad(language, count, f"{part}{language}", f"{name}-")
            write(folder / f"tydiqa-goldp/{name}_tydiqa_{part}.json", text)
        for part, count in (("train", 24), ("test", 12)):
            stem = f"ud/UD_{name.title()}-Tiny/{language}_tiny-ud-{part}"
            write(folder / f"{stem}.conllu", conllu(language, count, f"{part}{language}"))
    for code, language in (("fin", "fi"), ("swh", "sw")):
        sides = ((code, language), ("eng", "en"))
        for side, spoken in sides:
            chosen = facts(spoken, 20, 4)
            text = "".join(LANGUAGES[spoken][0].format(**fact) + "\n" for fact in chosen)
            write(folder / f"tatoeba/v1/tatoeba.{code}-eng.{side}", text)


def corpus():
    """Text for the tokenizer."""
    return [
        form.format(**fact).replace("/", " ")
        for language, (text, question, tagged, _) in LANGUAGES.items()
        for fact in facts(language, 60, 5)
        for form in (text, question, tagged)
    ]


def write_encoder(folder, *, seed=0):
    """Save a random BERT of two layers with a WordPiece tokenizer, in Hugging Face layout."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = BertWordPieceTokenizer(lowercase=False)
    tokenizer.train_from_iterator(corpus(), vocab_size=400, show_progress=False)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer,
        unk_token="[UNK]", sep_token="[SEP]", pad_token="[PAD]", cls_token="[CLS]",
        mask_token="[MASK]",
    )  # fmt: skip
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=512,
        initializer_range=0.2,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)


def write_study(path, *, seeds="1", epochs=4, change=()):
    """Write the study file; `change` are (old, new) replacements that must apply."""
    text = STUDY.format(seeds=seeds, epochs=epochs)
    for old, new in change:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def make(folder, **options):
    """Write data, encoder and study; return the study's path."""
    write_data(folder / "data")
    write_encoder(folder / "encoder")
    return write_study(folder / "tiny.toml", **options)


def midway(capfd, *arguments):
    """Run the command line in this process; returns (code, stdout, stderr)."""
    from midway.cli.main import main

    capfd.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["midway", *map(str, arguments)])
        patch.delenv("MIDWAY_DATA", raising=False)
        patch.delenv("MIDWAY_STORE", raising=False)
        with pytest.raises(SystemExit) as exit_:
            main()
    said = capfd.readouterr()
    return Said(exit_.value.code or 0, said.out, said.err)


def start(*arguments, cwd, **environment):
    """Start the command line in a process of its own."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MIDWAY_", "HF_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "midway", *map(str, arguments)],
        cwd=cwd,
        env={**clean, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def spawn(*arguments, cwd, **environment):
    """Run the command line in a process of its own; returns (code, stdout, stderr)."""
    process = start(*arguments, cwd=cwd, **environment)
    out, err = process.communicate(timeout=300)
    return Said(process.returncode, out, err)


def outputs(store):
    """SHA-256 of every file of every artefact: {(stage, key): {file: digest}}."""
    found = {}
    for path in Path(store).glob("artefacts/*/*/manifest.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        files = {name: item["sha256"] for name, item in manifest["outputs"].items()}
        found[path.parent.parent.name, path.parent.name] = files
    return found

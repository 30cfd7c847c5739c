"""Choice and tagging readers on real benchmark files: counts and traps of the data's notes."""

import os
from collections import Counter

import pytest

from midway.tasks import load_card
from midway.tasks.folds import fold_of
from midway.tasks.readers.columns import BLANK_WORD
from midway.tasks.readers.conllu import UPOS
from midway.tasks.readers.copa import OTHER_SPLIT, QUESTIONS
from midway.tasks.select import present
from midway.tasks.sources import parse_folders

XCOPA = ("et", "id", "it", "sw", "ta", "th", "tr", "vi", "zh")
MASAKHANE = [code for code in load_card("masakhaner2").languages if code != "luo"]


def read(name, split, language="en"):
    card = load_card(name)
    files = card.find(parse_folders(os.environ["MIDWAY_DATA"]), split, language)
    assert files, f"no files of {name} {split} {language}"
    reading = card.read(files, split, language)
    assert len({e.id for e in reading.examples}) == len(reading.examples)
    return reading


def here(name):
    return present(load_card(name), parse_folders(os.environ["MIDWAY_DATA"]))


@pytest.mark.parametrize(
    ("name", "split", "number", "choices", "documents"),
    [
        ("hellaswag", "validation", 10_042, 4, 10_019),
        ("cosmosqa", "validation", 2_985, 4, 2_445),
        ("csqa", "train", 9_741, 5, 2_151),
        ("csqa", "validation", 1_221, 5, 785),
        ("siqa", "train", 33_410, 3, 33_000),
        ("siqa", "validation", 1_954, 3, 1_930),
        ("copa", "test", 500, 2, 500),
    ],
)
def test_choices(name, split, number, choices, documents):
    reading = read(name, split)
    assert len(reading.examples) == number
    assert not reading.dropped
    assert not reading.warnings
    assert len({e.document for e in reading.examples}) == documents
    assert {len(e.choices) for e in reading.examples} == {choices}
    labels = Counter(e.label for e in reading.examples)
    assert sorted(labels) == list(range(choices))
    assert min(labels.values()) > 0.85 * number / choices  # nothing is always in one place


def test_hellaswag_is_the_complete_file_without_markup():
    examples = read("hellaswag", "validation").examples
    assert not any("[title]" in e.context or "[step]" in e.context for e in examples)
    assert examples[0].context == "Roof shingle removal: A man is sitting on a roof. he"
    assert examples[0].choices[3] == "starts pulling up roofing on a roof."
    assert examples[0].label == 3


def test_hellaswag_sample_keeps_the_markup():
    (folder,) = parse_folders(os.environ["MIDWAY_DATA"].split(":")[0])
    path = folder / "hellaswag/hellaswag_val_500_en.jsonl.gz"
    examples = load_card("hellaswag").read((path,), "validation", "en").examples
    assert len(examples) == 500
    assert len({e.document for e in examples}) == 492
    assert examples[0].context.startswith("Family Life: [header] How to recover")
    plain = {(e.context, e.choices): e.label for e in read("hellaswag", "validation").examples}
    both = [e for e in examples if (e.context, e.choices) in plain]
    assert len(both) > 100  # the items from video captions have no markup
    assert all(plain[e.context, e.choices] == e.label for e in both)


def test_test_files_without_gold_are_no_split():
    assert here("csqa").keys() == {"train", "validation"}
    assert here("cosmosqa") == {"train": [], "validation": ["en"]}


def test_copa():
    train, validation, test = (read("copa", part) for part in ("train", "validation", "test"))
    assert [len(each.examples) for each in (train, validation, test)] == [400, 100, 500]
    assert train.dropped == {OTHER_SPLIT: 100}
    assert validation.dropped == {OTHER_SPLIT: 400}
    items = [e.id for each in (train, validation, test) for e in each.examples]
    assert items == [str(number) for number in range(1, 1001)]
    assert train.examples[0].context == "My body cast a shadow over the grass."


DIFFERENT = {  # rows whose `question` is not COPA's: validation, test
    "id": (5, 4), "it": (5, 4), "sw": (6, 37), "th": (52, 250), "tr": (52, 51),
}  # fmt: skip


@pytest.mark.parametrize("language", XCOPA)
def test_xcopa_is_copa(language):
    wrong = []
    for split, number in (("validation", 100), ("test", 500)):
        examples = read("xcopa", split, language).examples
        english = read("copa", split).examples
        assert len(examples) == number
        assert [e.id for e in examples] == [str(index) for index in range(number)]
        assert [e.document for e in examples] == [e.document for e in english]
        assert [e.label for e in examples] == [e.label for e in english]
        wrong.append(sum(e.question != o.question for e, o in zip(examples, english, strict=True)))
    assert tuple(wrong) == DIFFERENT.get(language, (0, 0))


def test_xcopa_warns_of_thai_and_turkish():
    warned = {
        (split, language)
        for split in ("validation", "test")
        for language in XCOPA
        if read("xcopa", split, language).warnings
    }
    assert warned == {("validation", "th"), ("validation", "tr"), ("test", "th")}
    assert QUESTIONS["effect"] in read("xcopa", "test", "th").warnings[0]
    assert here("xcopa")["test"] == list(XCOPA)


LARGE = "ar bg de el en es et eu fa fi fr he hu id it ja ka ko lt nl pl pt ro ru tr uk vi zh"
MIDDLE = "af az bn hi kk ml mr ms sw ta te tl ur"
SMALL = "gu jv my pa qu yo"
TRAIN = dict.fromkeys(SMALL.split(), 100) | {"kk": 1_000, "sw": 1_000, "te": 1_000}


@pytest.fixture(scope="module")
def panx():
    return {code: read("panx", "validation", code) for code in here("panx")["validation"]}


def test_panx_sizes(panx):
    sizes = {code: len(reading.examples) for code, reading in panx.items()}
    expected = dict.fromkeys(LARGE.split(), 10_000) | dict.fromkeys(MIDDLE.split(), 1_000)
    assert sizes == expected | dict.fromkeys(SMALL.split(), 100)
    assert len(sizes) == 47
    assert not any(reading.dropped or reading.repaired for reading in panx.values())
    train = here("panx")["train"]
    sizes = {code: len(read("panx", "train", code).examples) for code in train}
    assert sizes == TRAIN | {"en": 20_000, "mr": 5_000}
    assert here("panx")["test"] == []


def without_beginning(examples):
    """Count I- tags that continue nothing."""
    return sum(
        tag[0] == "I" and before[2:] != tag[2:]
        for e in examples
        for before, tag in zip(("O", *e.tags), e.tags, strict=False)
    )


def test_panx_traps(panx):
    assert without_beginning(panx["ja"].examples) == 501
    assert without_beginning(panx["zh"].examples) == 476
    assert without_beginning(panx["de"].examples) == 0
    for code, copies in (("sw", 118), ("en", 324)):
        train = {(e.tokens, e.tags) for e in read("panx", "train", code).examples}
        assert sum((e.tokens, e.tags) in train for e in panx[code].examples) == copies
    characters = [word for code in ("ja", "zh") for e in panx[code].examples for word in e.tokens]
    assert sum(len(word) == 1 for word in characters) > 0.9 * len(characters)
    assert any(":" in word[1:] for e in panx["pl"].examples for word in e.tokens)


RANGES = {
    ("masakhaner2", "train"): (3_384, 7_825),
    ("masakhaner2", "validation"): (483, 1_118),
    ("masakhaner2", "test"): (966, 2_235),
    ("masakhapos", "train"): (693, 893),
    ("masakhapos", "validation"): (138, 178),
    ("masakhapos", "test"): (553, 713),
}


@pytest.mark.parametrize("name", ["masakhaner2", "masakhapos"])
def test_masakhane(name):
    tags, loose, repaired = set(), Counter(), {}
    for split in ("train", "validation", "test"):
        assert here(name)[split] == MASAKHANE
        sizes = []
        for language in MASAKHANE:
            reading = read(name, split, language)
            sizes.append(len(reading.examples))
            tags |= {tag for e in reading.examples for tag in e.tags}
            loose[language, split] = without_beginning(reading.examples)
            assert not reading.dropped
            if reading.repaired:
                repaired[language, split] = reading.repaired
        assert (min(sizes), max(sizes)) == RANGES[name, split]
    assert tags == set(load_card(name).labels)
    if name == "masakhaner2":
        assert loose.total() == 48
        assert loose["kin", "train"] == 14
        assert repaired == {("xho", "train"): {BLANK_WORD: 2}}
    else:
        assert tags == set(UPOS)
        assert not repaired


def test_masakhaner_test_sentences_that_are_in_the_training_data():
    for language, copies in (("yor", 37), ("swa", 12), ("ibo", 338), ("xho", 254), ("hau", 197)):
        train = {e.document for e in read("masakhaner2", "train", language).examples}
        test = read("masakhaner2", "test", language).examples
        assert sum(e.document in train for e in test) == copies


def test_amharic():
    sizes = [len(read("masakhaner1", part, "amh").examples) for part in load_card("panx").splits]
    assert sizes == [1_750, 250, 500]
    assert here("masakhaner1")["test"] == ["amh"]


CATEGORIES = {
    "validation": {"en": (80, 349), "de": (91, 334), "it": (94, 333), "nl": (91, 334)},
    "test": {"en": (58, 328), "de": (70, 332), "it": (77, 318), "nl": (66, 322)},
}


@pytest.mark.parametrize("split", CATEGORIES)
def test_ccg(split):
    part = "dev" if split == "validation" else "test"
    for language, (categories, words) in CATEGORIES[split].items():
        reading = read("ccg", split, language)
        assert not reading.dropped
        assert [e.id for e in reading.examples] == [f"pmb-{part}-{n}" for n in range(1, 51)]
        assert len({tag for e in reading.examples for tag in e.tags}) == categories
        assert sum(len(e.tokens) for e in reading.examples) == words
    english = read("ccg", split, "en").examples
    assert {fold_of(e.document) for e in english} == {"A", "B"}
    assert here("ccg")["train"] == []


def test_ccg_words_are_those_of_the_tokenised_files():
    (folder,) = parse_folders(os.environ["MIDWAY_DATA"].split(":")[0])
    different = 0
    for split, part in (("validation", "dev"), ("test", "test")):
        for language, name in (("en", "deu-eng.src"), ("nl", "nld-eng.trg"), ("it", "ita-eng.trg")):
            lines = (folder / f"ccg-pmb/{part}.{name}.tok").read_text("utf-8").split("\n")
            examples = read("ccg", split, language).examples
            assert len(examples) == len(lines) - 1
            different += sum(
                " ".join(e.tokens) != line for e, line in zip(examples, lines, strict=False)
            )
    assert different == 3

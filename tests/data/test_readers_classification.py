"""Classification tasks on real files: counts and traps that the data's notes give."""

import os
from collections import Counter

import pytest

from midway.tasks import load_card
from midway.tasks.folds import fold_of
from midway.tasks.readers.labelled import BLANK, UNQUOTED
from midway.tasks.readers.paraphrases import REPLACED
from midway.tasks.select import present
from midway.tasks.sources import parse_folders, read_lines

XNLI = [
    *("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru"),
    *("sw", "th", "tr", "vi", "zh"),
    "hr",
    "my",
]
QUOTED = {"de": 9, "en": 0, "es": 155, "fr": 207, "ja": 11, "ko": 145, "zh": 5}
UNTRANSLATED = {"de": 68, "es": 38, "fr": 8, "ja": 20, "ko": 36, "zh": 16}
AMERICAS = {"cni": (658, 750), "nah": (585, 735), "oto": (222, 748)}
AFRISENTI = {
    "amh": (1_497, 1_999), "arq": (414, 958), "ary": (494, 2_961), "hau": (2_677, 5_303),
    "ibo": (1_841, 3_682), "kin": (827, 1_026), "orm": (396, 2_096), "pcm": (1_281, 4_154),
    "por": (767, 3_662), "swa": (453, 748), "tir": (398, 2_000), "tso": (203, 254),
    "twi": (388, 949), "yor": (2_090, 4_515),
}  # fmt: skip


def folders():
    return parse_folders(os.environ["MIDWAY_DATA"])


def read(name, split, language="en"):
    card = load_card(name)
    files = card.find(folders(), split, language)
    assert files, f"no files of {name} {split} {language}"
    reading = card.read(files, split, language)
    assert len({e.id for e in reading.examples}) == len(reading.examples)
    assert {e.label for e in reading.examples} <= set(card.labels)
    return reading


def here(name):
    return present(load_card(name), folders())


def aligned(reading):
    return [(e.id, e.document) for e in reading.examples]


@pytest.mark.parametrize(("split", "premises"), [("validation", 830), ("test", 1_670)])
def test_xnli_is_parallel_in_sixteen_languages(split, premises):
    assert here("xnli")[split] == XNLI
    english = read("xnli", split)
    assert Counter(e.label for e in english.examples) == dict.fromkeys(
        load_card("xnli").labels, premises
    )
    assert len({e.document for e in english.examples}) == premises
    for language in XNLI:
        reading = read("xnli", split, language)
        assert aligned(reading) == aligned(english)
        assert [e.label for e in reading.examples] == [e.label for e in english.examples]
        assert not reading.dropped
        assert not reading.repaired
        assert not reading.warnings


def test_a_separator_inside_a_sentence_is_no_line_end():
    greek = read("xnli", "test", "el").examples
    assert len({e.document for e in greek if "\x1d" in e.text + e.pair}) == 2
    korean = read("pawsx", "validation", "ko").examples
    assert sum("\x1c" in e.text + e.pair for e in korean) == 1


def test_machine_translated_training_data_are_parallel():
    languages = ["ar", "en", "es", "sw", "tr", "vi", "zh"]
    assert here("xnli")["train"] == languages
    english = read("xnli", "train")
    assert len(english.examples) == 15_001
    assert Counter(e.label for e in english.examples)["contradiction"] == 5_504
    for language in languages:
        reading = read("xnli", "train", language)
        assert aligned(reading) == aligned(english)
        assert [e.label for e in reading.examples] == [e.label for e in english.examples]
        assert not reading.repaired  # quotation marks are part of these texts
    mnli = read("mnli", "train").examples
    assert [e.text for e in mnli] == [e.text for e in english.examples]
    assert sum(e.text.count('"') + e.pair.count('"') for e in mnli) > 500
    assert here("mnli")["validation"] == []


def test_snli_and_anli():
    assert len(read("snli", "validation").examples) == 9_842
    assert len(read("snli", "test").examples) == 9_824
    anli = read("anli", "validation")
    rounds = Counter(e.id.split("-")[0] for e in anli.examples)
    assert rounds == {"r1": 1_000, "r2": 1_000, "r3": 1_198}
    assert not anli.warnings
    assert sum("\n" in e.text + e.pair for e in anli.examples) == 7


def test_anli_plus_says_what_is_missing():
    train, validation = read("anli-plus", "train"), read("anli-plus", "validation")
    assert len(train.examples) == 15_001
    assert [warning.split(" is at")[0] for warning in train.warnings] == [
        "anli-plus train: no file of anli",
        "anli-plus train: no file of snli",
    ]
    assert Counter(e.id.split("-")[0] for e in validation.examples) == {
        "anli": 3_198,
        "snli": 9_842,
    }
    assert len(validation.warnings) == 1


def test_pawsx():
    assert here("pawsx") == {"train": [], "validation": list(QUOTED), "test": ["de", "zh"]}
    english = read("pawsx", "validation")
    labels = [e.label for e in english.examples]
    assert labels.count("paraphrase") == 863
    for language, quoted in QUOTED.items():
        reading = read("pawsx", "validation", language)
        assert len(reading.examples) == 2_000
        assert aligned(reading) == aligned(english)
        assert reading.repaired[UNQUOTED] == quoted
        assert not any('""' in e.text + e.pair for e in reading.examples)
        rows = [" ".join(warning.split()).split(" in ")[-1] for warning in reading.warnings]
        lost = UNTRANSLATED.get(language)
        assert rows == (
            [f"{lost} rows, which are kept because published scores count them."] if lost else []
        )
        differ = [e for e, label in zip(reading.examples, labels, strict=True) if e.label != label]
        assert all("NS" in (e.text.upper(), e.pair.upper()) for e in differ)
    german, chinese = read("pawsx", "test", "de").examples, read("pawsx", "test", "zh").examples
    assert len(german) == len(chinese) == 2_000
    assert sum(a.label != b.label for a, b in zip(german, chinese, strict=True)) == 17


def test_qqp():
    for split, broken in (("validation", 83), ("test", 72)):
        reading = read("qqp", split)
        assert Counter(e.label for e in reading.examples) == {
            "duplicate": 5_000,
            "not_duplicate": 5_000,
        }
        assert reading.repaired[REPLACED] == broken
        assert not reading.dropped
        assert not any(e.text.startswith('"') and '""' in e.text for e in reading.examples)
    assert here("qqp")["train"] == []


@pytest.mark.parametrize("split", ["validation", "test"])
def test_americasnli_shares_premises_and_labels_with_xnli(split):
    column = ("validation", "test").index(split)
    spanish = read("xnli", split, "es").examples
    start = (12_450, 25_050)[column]
    for language in load_card("americasnli").languages:
        reading = read("americasnli", split, language)
        expected = AMERICAS.get(language, (743, 750))[column]
        assert len(reading.examples) == expected
        assert reading.dropped == ({BLANK: 3} if (language, split) == ("nah", "test") else {})
        for example in reading.examples:
            original = spanish[int(example.id) - start - 1]
            assert (original.label, original.document) == (example.label, example.document)


def test_afrisenti():
    languages = list(load_card("afrisenti").languages)
    assert here("afrisenti") == {"train": [], "validation": languages, "test": languages}
    for language, sizes in AFRISENTI.items():
        for split, size in zip(("validation", "test"), sizes, strict=True):
            reading = read("afrisenti", split, language)
            assert len(reading.examples) == size
            assert not reading.dropped
    assert read("afrisenti", "test", "por").repaired == {UNQUOTED: 107}
    assert not read("afrisenti", "validation", "por").repaired


def test_sib200_is_parallel_in_all_varieties():
    card = load_card("sib200")
    assert here("sib200") == {split: list(card.languages) for split in card.splits}
    seen = set()
    for split, size in (("train", 701), ("validation", 99), ("test", 204)):
        english = {e.id: e.label for e in read("sib200", split, "eng_Latn").examples}
        assert len(english) == size
        assert not seen & set(english)
        seen |= set(english)
        for language in card.languages:
            examples = read("sib200", split, language).examples
            assert {e.id: e.label for e in examples} == english
            assert all(e.document == e.id for e in examples)
    assert len(seen) == 1_004


def test_unquoted_sentences_are_those_of_flores():
    (folder,) = (each for each in folders() if (each / "flores200/devtest").is_dir())
    for language in ("eng_Latn", "tam_Taml", "ben_Beng"):
        flores = set(read_lines(folder / f"flores200/devtest/{language}.devtest.gz"))
        texts = [
            e.text
            for split in ("train", "validation", "test")
            for e in read("sib200", split, language).examples
        ]
        assert sum('"' in text and text in flores for text in texts) > 20


def test_folds_have_about_half_of_the_pairs():
    for name, split in (("xnli", "test"), ("pawsx", "validation"), ("qqp", "test")):
        examples = read(name, split).examples
        share = sum(fold_of(e.document) == "A" for e in examples) / len(examples)
        assert 0.45 < share < 0.55

"""Every card of the catalogue says everything, and says it consistently."""

import pytest

from midway.errors import UsageError
from midway.families import FAMILIES as FAMILY_RULES
from midway.families.family import rows_alone
from midway.languages import lookup
from midway.tasks import card_names, load_card
from midway.tasks.card import SPLITS
from midway.tasks.kinds import KINDS

# The main metric of a family, and of a card whose rule says otherwise.
FAMILIES = {
    "classification": "accuracy",
    "choice": "accuracy",
    "tagging": "f1",
    "span_qa": "f1",
    "retrieval": "accuracy",
    "ranking": "map@20",
    "mining": "f1",
}
RULES = {"": None, "mlqa": "f1", "accuracy": "accuracy", "weighted_f1": "weighted_f1", "f1": None}
BENCHMARK = """
afriqa afrisenti americasnli anli anli-plus bucc2018 ccg copa cosmosqa csqa django-messages flores
hellaswag lareqa masakhaner1 masakhaner2 masakhapos mewslix mlm mlqa mnli panx pawsx qqp sib200
sib200-pairs siqa snli squad squad-v2 tatoeba tydiqa udpos xcopa xnli xquad
""".split()  # noqa: SIM905
OPEN = {"ccg"}  # labels are learnt from the training data


def test_the_catalogue_has_the_tasks():
    assert set(BENCHMARK) <= set(card_names())
    assert card_names() == sorted(card_names())


@pytest.mark.parametrize("name", card_names())
def test_card_is_complete(name):
    card = load_card(name)
    assert card.name == name
    assert card.family in KINDS
    if KINDS[card.family].evaluated:
        assert card.metrics[0] == (RULES[card.rule] or FAMILIES[card.family])
    else:
        assert card.roles == ("intermediate",)
    for task in card.train_tasks:
        assert load_card(task).family == card.family
        assert "en" in load_card(task).languages
    assert set(card.roles) <= {"intermediate", "target"}
    assert card.roles
    assert [split for split in SPLITS if split in card.splits] == list(card.splits)
    assert card.evaluation_split in card.splits
    assert card.evaluation_split != "train"
    assert len(set(card.languages)) == len(card.languages) > 0
    for text in (card.title, card.licence, card.citation, card.homepage, card.summary):
        assert text.strip() == text != ""
    assert all(note.endswith(".") for note in (*card.notes, card.summary))
    labelled = card.family in ("tagging", "classification") and name not in OPEN
    assert bool(card.labels) == labelled
    assert len(set(card.labels)) == len(card.labels)


@pytest.mark.parametrize("name", card_names())
def test_every_language_is_in_the_language_table(name):
    assert [code for code in load_card(name).languages if lookup(code) is None] == []


@pytest.mark.parametrize("name", BENCHMARK)
def test_find_knows_only_its_own_splits_and_languages(name, tmp_path):
    card = load_card(name)
    assert card.find((tmp_path,), "nonsense", card.languages[0]) == ()
    assert card.find((tmp_path,), card.evaluation_split, "*") == ()


def test_unknown_task_suggests_the_nearest():
    with pytest.raises(UsageError, match=r"unknown task 'tatoba'\. Did you mean 'tatoeba'"):
        load_card("tatoba")
    with pytest.raises(UsageError, match="unknown task"):
        load_card("../card")


def test_languages_of_xtreme():
    assert len(load_card("tydiqa").languages) == 9
    assert len(load_card("tatoeba").languages) == 112
    ud = load_card("udpos").languages
    assert len(ud[:33]) == len(set(ud[:33]) & set(XTREME_POS.split())) == 33
    assert ud[33:38] == ("lt", "pl", "ro", "uk", "wo")


XTREME_POS = (
    "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi "
    "yo zh"
)


@pytest.mark.parametrize(
    ("name", "split", "language", "path"),
    [
        ("squad", "train", "en", "squad/train-v1.1.json"),
        ("squad", "train", "en", "squad/train-v1.1.subset-11877q.json.gz"),
        ("squad", "validation", "en", "squad/dev-v1.1.json"),
        ("squad", "validation", "en", "squad/dev-v1.1.reconstructed.json.gz"),
        ("squad-v2", "train", "en", "squad/train-v2.0.json.bz2"),
        ("squad-v2", "validation", "en", "squad/dev-v2.0.cs224n-half-6078q.json.gz"),
        ("xquad", "test", "el", "xquad/xquad.el.json"),
        ("tydiqa", "train", "te", "tydiqa-goldp/telugu_tydiqa_train.json.gz"),
        ("tydiqa", "train", "te", "tydiqa-goldp/tydiqa-goldp-v1.1-train.json"),
        ("tydiqa", "train", "te", "tydiqa/tydiqa-goldp-v1.1-train/tydiqa-goldp-v1.1-train.json"),
        ("tydiqa", "validation", "fi", "tydiqa-goldp/finnish_tydiqa_dev.json.gz"),
        ("tydiqa", "validation", "fi", "tydiqa/tydiqa-goldp-v1.1-dev.json"),
        (
            "tydiqa",
            "validation",
            "fi",
            "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa-goldp-dev-finnish.json",
        ),
        ("tydiqa", "validation", "fi", "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.fi.dev.json"),
        ("udpos", "validation", "yo", "ud/UD_Yoruba-YTB/yo_ytb-ud-dev.conllu.gz"),
        ("udpos", "test", "yo", "ud-treebanks-v2.5/UD_Yoruba-YTB/yo_ytb-ud-test.conllu"),
        ("udpos", "test", "ar", "ud/UD_Arabic-PADT.token-tag/test.txt.gz"),
        ("udpos", "train", "en", "udpos/train-en.tsv"),
    ],
)
def test_layouts(name, split, language, path, tmp_path):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.touch()
    card = load_card(name)
    assert card.find((tmp_path / "nothing", tmp_path), split, language) == (file,)
    other = next(each for each in ("train", "validation", "test") if each != split)
    assert card.find((tmp_path,), other, language) == ()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_forecast_counts_what_training_draws(name):
    """The catalogue knows without torch which families draw examples of several rows."""
    assert KINDS[name].by_example == (FAMILY_RULES[name].items is not rows_alone)

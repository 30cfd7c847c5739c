"""A set of languages and its members spelled out are the same study."""

from midway.store.local import Store
from midway.studies.session import open_session

STUDY = """
name = "sets"
encoder = "FacebookAI/xlm-roberta-base@e73636d4f797dec63c3081bb6ed5c7b0bb3f2089"
seeds = [1]

[[intermediate]]
name = "related"
mix = [{{ task = "sampler-qa", languages = {trained}, examples = 60 }}]

[[target]]
task = "sampler-ner"
train = {{ languages = {taught}, examples = 40 }}
evaluate = {{ languages = {evaluated}, examples = 20 }}
"""


def keys(tmp_path, trained, taught, evaluated):
    """Keys of the scores: they hold everything that comes before."""
    path = tmp_path / "sets.toml"
    text = STUDY.format(trained=trained, taught=taught, evaluated=evaluated)
    path.write_text(text, encoding="utf-8")
    session = open_session(path, Store(tmp_path / "store"), ())
    return [cell.score.key for cell in session.expansion.cells]


def test_two_spellings_have_the_same_keys(tmp_path):
    sets = keys(tmp_path, '["family:id"]', '["en", "genus:pt"]', '["near:sw:2", "sw"]')
    codes = keys(tmp_path, '["jv"]', '["en", "es", "fr"]', '["ar", "yo", "sw"]')
    assert sets == codes
    assert keys(tmp_path, '["near:id:1"]', '["eng", "spa", "genus:pt"]', '["ar", "yo", "sw"]') == (
        codes
    )


def test_another_set_has_other_keys(tmp_path):
    first = keys(tmp_path, '["family:id"]', '["en"]', '["sw"]')
    assert len(first) == len(set(first)) == 2
    assert not set(first) & set(keys(tmp_path, '["family:id"]', '["en"]', '["near:sw:1"]'))
    none, related = keys(tmp_path, '["family:id", "near:sw:1"]', '["en"]', '["sw"]')
    assert none == first[0]
    assert related != first[1]


def test_the_targets_languages_are_found_under_other_codes(tmp_path):
    """Django's messages have zh-hans and es-ar, among others, where the sampler has zh and es."""
    path = tmp_path / "targets.toml"
    text = STUDY.format(trained='"targets"', taught='["en"]', evaluated='["sw"]')
    path.write_text(
        text
        + '[[target]]\ntask = "django-messages"\nevaluate = { languages = ["zh-hans", "te"] }\n',
        encoding="utf-8",
    )
    session = open_session(path, Store(tmp_path / "store"), ())
    trained = next(stage for who, stage in session.expansion.training if who.endswith("related"))
    assert [part.language for part in trained.spec.languages] == ["sw", "te", "zh"]

"""Training text in evaluation data: what counts, what the study may do about it."""

import json

import pytest

from midway.errors import DataError
from midway.graph.stage import Context, Runtime
from midway.stages import leaks
from midway.stages.specs import LeaksSpec
from midway.tasks.examples import QAExample, SentencePair, TaggedSentence
from midway.tasks.storage import write_examples


def question(number, context, language="en"):
    return QAExample(f"q{number}", language, "d", context, "Who?", ("Ada",), (0,))


def run(tmp_path, training, evaluation, *, policy="warn", tasks=("squad", "squad")):
    folders = {}
    for role, examples in (("train0", training), ("evaluation0", evaluation)):
        folders[role] = tmp_path / role
        folders[role].mkdir()
        write_examples(examples, folders[role])
    out = tmp_path / "out"
    out.mkdir()
    spec = LeaksSpec(
        training=(("intermediate a", tasks[0]),),
        evaluation=(("target b", tasks[1]),),
        policy=policy,
    )
    context = Context(out, tmp_path, Runtime(), lambda progress: None, lambda: None)
    facts = leaks.run(spec, folders, context)
    assert json.loads((out / "leaks.json").read_text(encoding="utf-8")) == facts["leaks"]
    return facts["leaks"]


def test_paragraphs_that_differ_only_in_case_and_space_are_shared(tmp_path):
    training = [question(1, "Ada wrote  programs.\n"), question(2, "Something else.")]
    evaluation = [question(7, "ada wrote programs.", "sw"), question(8, "Quite new.")]
    (leak,) = run(tmp_path, training, evaluation)
    assert (leak["shared"], leak["of"], leak["languages"]) == (1, 2, ["sw"])
    assert leak["examples"] == ["q7"]
    assert (leak["training"], leak["target"]) == ("intermediate a", "target b")


def test_nothing_shared_is_no_leak_under_either_policy(tmp_path):
    (tmp_path / "warn").mkdir()
    (tmp_path / "error").mkdir()
    for policy in ("warn", "error"):
        found = run(tmp_path / policy, [question(1, "One.")], [question(2, "Two.")], policy=policy)
        assert found == []


def test_error_names_the_overlap_and_the_remedy(tmp_path):
    same = [question(1, "The same paragraph.")]
    with pytest.raises(DataError) as caught:
        run(tmp_path, same, same, policy="error")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("1 of 1", "target b", "intermediate a", "fold", "warn"):
        assert part in message


def test_families_are_compared_by_their_sentences(tmp_path):
    tagged = [TaggedSentence("s1", "en", "d", ("Ada", "wrote", "."), ("B-PER", "O", "O"))]
    pairs = [SentencePair("p1", "sw", "d", "Ada aliandika.", "Ada wrote .")]
    (leak,) = run(tmp_path, tagged, pairs, tasks=("sampler-ner", "sampler-pairs"))
    assert leak["examples"] == ["p1"]


def test_every_part_of_a_mixture_counts(tmp_path):
    folders = {}
    parts = {"train0": "The first part.", "train1": "The second.", "evaluation0": "The first part."}
    for number, (role, context) in enumerate(parts.items()):
        folders[role] = tmp_path / role
        folders[role].mkdir()
        write_examples([question(number, context)], folders[role])
    spec = LeaksSpec(
        training=(("intermediate a", "squad"), ("intermediate a", "squad")),
        evaluation=(("target b", "squad"),),
        policy="warn",
    )
    context = Context(tmp_path, tmp_path, Runtime(), lambda progress: None, lambda: None)
    (leak,) = leaks.run(spec, folders, context)["leaks"]
    assert (leak["training"], leak["shared"]) == ("intermediate a", 1)

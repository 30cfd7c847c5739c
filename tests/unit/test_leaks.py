"""Training data in evaluation data: what counts, what the study may do about it."""

import json

import pytest

from midway.errors import DataError
from midway.graph.stage import Context, Runtime
from midway.stages import leaks
from midway.stages.specs import LeaksSpec
from midway.tasks.examples import (
    LabelledText,
    QAExample,
    RankedText,
    SentencePair,
    TaggedSentence,
)
from midway.tasks.storage import write_examples

PARAGRAPH = (
    "The lighthouse at the end of the harbour was built in eighteen ninety by two brothers, who "
    "had learnt their trade in the shipyards of the north and never went to sea themselves."
)


def question(number, context, language="en", document="", asked="Who?"):
    document = document or f"Title {number}"
    return QAExample(f"q{number}", language, document, context, asked, ("Ada",), (0,))


def run(tmp_path, training, evaluation, *, policy="warn", tasks=("squad", "tydiqa"), split="train"):
    """Facts of comparing data sets; `training` is one, or a list of (who, examples)."""
    named = training if isinstance(training[0], tuple) else [("intermediate a", training)]
    folders = {}
    data = {f"train{i}": examples for i, (_, examples) in enumerate(named)}
    for role, examples in {**data, "evaluation0": evaluation}.items():
        folders[role] = tmp_path / role
        folders[role].mkdir(parents=True)
        write_examples(examples, folders[role])
    out = tmp_path / "out"
    out.mkdir()
    spec = LeaksSpec(
        training=tuple((who, tasks[0], split) for who, _ in named),
        evaluation=(("target b", tasks[1], "validation"),),
        policy=policy,
    )
    context = Context(out, tmp_path, Runtime(), lambda progress: None, lambda: None)
    facts = leaks.run(spec, folders, context)
    assert json.loads((out / "leaks.json").read_text(encoding="utf-8")) == facts
    return facts


def kinds(row):
    return {kind["kind"]: kind["shared"] for kind in row["kinds"]}


def test_paragraphs_that_differ_only_in_case_and_space_are_shared(tmp_path):
    training = [question(1, "Ada wrote  programs.\n"), question(2, "Something else.")]
    evaluation = [
        question(7, "ada wrote programs.", "sw"),
        question(8, "Quite new."),
        question(9, "Something else."),
    ]
    (leak,) = run(tmp_path, training, evaluation)["leaks"]
    assert (leak["shared"], leak["of"], leak["languages"]) == (2, 3, ["en", "sw"])
    assert leak["examples"] == ["q7", "q9"]
    assert (leak["training"], leak["target"]) == ("intermediate a", "target b")
    assert kinds(leak) == {"exact": 1, "normalised": 1}
    assert [kind["with"] for kind in leak["kinds"]] == [["en:q2"], ["en:q1"]]


def test_a_paragraph_with_a_few_words_changed_or_tokenised_is_a_near_duplicate(tmp_path):
    changed = PARAGRAPH.replace("eighteen ninety", "eighteen ninety-one")
    tokenised = PARAGRAPH.replace(",", " ,").replace(".", " .")
    other = "A harbour and a lighthouse, " + PARAGRAPH[: len(PARAGRAPH) // 3]
    evaluation = [question(i, text) for i, text in enumerate((changed, tokenised, other))]
    (leak,) = run(tmp_path, [question(9, PARAGRAPH)], evaluation)["leaks"]
    assert kinds(leak) == {"near": 2}
    assert leak["examples"] == ["q0", "q1"]


def test_the_same_question_in_another_language_is_a_translation(tmp_path):
    training = [question(1, "Eins.", "de", "Some_article")]
    evaluation = [
        question(1, "Un.", "es", "Some_article"),
        question(2, "Deux.", "fr", "Some_article"),
        question(3, "Drei.", "de", "Another_one"),
    ]
    (leak,) = run(tmp_path, training, evaluation, tasks=("xquad", "xquad"))["leaks"]
    assert kinds(leak) == {"translated": 1, "document": 1}
    assert leak["shared"] == 2
    assert leak["kinds"][0]["with"] == ["de:q1"]


def test_ids_of_unrelated_tasks_mean_nothing(tmp_path):
    training = [question(1, "One text.", document="article")]
    evaluation = [question(1, "And another.", document="article")]
    facts = run(tmp_path, training, evaluation, tasks=("afriqa", "mlqa"))
    assert facts["leaks"] == []
    (hint,) = facts["hints"]  # encyclopaedic data: the same title is worth knowing
    assert kinds(hint) == {"title": 1}
    (tmp_path / "2").mkdir()
    tags = [TaggedSentence("1", "en", "1", ("One",), ("O",))]
    words = [TaggedSentence("1", "en", "1", ("Two",), ("O",))]
    facts = run(tmp_path / "2", tags, words, tasks=("panx", "panx"))
    assert facts["leaks"] == facts["hints"] == []


def test_rows_of_different_splits_are_not_the_same_item(tmp_path):
    def pair(text):
        return LabelledText("1", "en", "1", text, "So what?", "neutral")

    assert not run(tmp_path / "a", [pair("A.")], [pair("B.")], tasks=("xnli", "xnli"))["leaks"]
    facts = run(
        tmp_path / "b", [pair("A.")], [pair("B.")], tasks=("xnli", "xnli"), split="validation"
    )
    assert kinds(facts["leaks"][0]) == {"id": 1}


def test_passages_around_searched_sentences_are_compared(tmp_path):
    sentence = RankedText("0-0", "en", "X", "candidate", "Ada wrote.", PARAGRAPH, ("q",))
    (leak,) = run(tmp_path, [question(1, PARAGRAPH)], [sentence], tasks=("tydiqa", "lareqa"))[
        "leaks"
    ]
    assert kinds(leak) == {"exact": 1}


def test_nothing_shared_is_no_leak_under_any_policy(tmp_path):
    for policy in ("warn", "error", "drop"):
        one, two = [question(1, "One.")], [question(2, "Two.")]
        facts = run(tmp_path / policy, one, two, policy=policy)
        assert facts["leaks"] == facts["hints"] == facts["training"] == facts["repeats"] == []


def test_error_names_the_overlap_and_the_remedy(tmp_path):
    same = [question(1, "The same paragraph.")]
    with pytest.raises(DataError) as caught:
        run(tmp_path, same, same, policy="error")
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "1 of 1",
        "target b",
        "intermediate a",
        "exact",
        'fold = "A"',
        'fold = "B"',
        "drop",
    ):
        assert part in message


def test_folds_are_not_recommended_where_there_are_none(tmp_path):
    pair = [SentencePair("p1", "sw", "d", "Ada aliandika.", "Ada wrote.")]
    with pytest.raises(DataError) as caught:
        run(tmp_path, pair, pair, policy="error", tasks=("sampler-pairs", "tatoeba"))
    assert "fold" not in str(caught.value)
    assert "Set leaks" in str(caught.value)


def test_drop_says_which_examples_and_refuses_to_leave_nothing(tmp_path):
    same = question(1, "The same paragraph.")
    run(tmp_path / "a", [same], [same, question(2, "New.")], policy="drop")
    written = (tmp_path / "a/out/leaking.json").read_text(encoding="utf-8")
    assert json.loads(written) == {"target b": {"en": ["q1"]}}
    with pytest.raises(DataError, match="leaves nothing of target b"):
        run(tmp_path / "b", [same], [same], policy="drop")


def test_drop_refuses_to_leave_candidates_alone(tmp_path):
    def text(name, side, said):
        return RankedText(name, "en", "", side, said, "", ("k",))

    evaluation = [text("q1", "query", "Who?"), text("0-0", "candidate", "New.")]
    with pytest.raises(DataError, match="leaves nothing"):
        run(
            tmp_path,
            [question(1, "Old.")],
            evaluation,
            policy="drop",
            tasks=("xquad", "lareqa"),
        )


def test_families_are_compared_by_their_sentences(tmp_path):
    tagged = [TaggedSentence("s1", "en", "d", ("Ada", "wrote", "."), ("B-PER", "O", "O"))]
    pairs = [SentencePair("p1", "sw", "d", "Ada aliandika.", "Ada wrote .")]
    (leak,) = run(tmp_path, tagged, pairs, tasks=("sampler-ner", "tatoeba"))["leaks"]
    assert leak["examples"] == ["p1"]
    assert kinds(leak) == {"exact": 1}


def test_every_part_of_a_mixture_counts_once(tmp_path):
    parts = [("intermediate a", [question(i, f"Part {i}.")]) for i in range(2)]
    (leak,) = run(tmp_path, parts, [question(7, "Part 0."), question(8, "Part 1.")])["leaks"]
    assert (leak["training"], leak["shared"]) == ("intermediate a", 2)


def test_what_one_trains_on_twice_is_reported_and_nested_budgets_are_not(tmp_path):
    twice = [("intermediate a", [question(1, "One.")]), ("intermediate a", [question(2, "One.")])]
    (pair,) = run(tmp_path / "a", twice, [question(7, "New.")])["training"]
    assert (pair["shared"], pair["of"]) == (1, 1)
    nested = [("intermediate a", [question(1, "One.")]), ("intermediate b", [question(1, "One.")])]
    assert run(tmp_path / "b", nested, [question(7, "New.")])["training"] == []


def test_an_evaluation_set_that_repeats_itself_is_reported(tmp_path):
    evaluation = [
        question(1, "One."),
        question(2, "one."),
        question(3, "One.", asked="When?"),
        question(4, "One.", "sw"),
    ]
    (row,) = run(tmp_path, [question(9, "Other.")], evaluation)["repeats"]
    assert (row["shared"], row["of"]) == (1, 4)
    assert (row["examples"], row["with"]) == (["q2"], ["en:q1"])


def test_what_another_target_is_trained_on_is_no_leak(tmp_path):
    same = question(1, "One.")
    for who in ("target c", "validation of target c"):
        facts = run(tmp_path / who, [(who, [same])], [same], policy="error")
        assert facts["leaks"] == []
        assert kinds(facts["hints"][0]) == {"exact": 1}
    facts = run(tmp_path / "own", [("target target b", [same])], [same])
    assert kinds(facts["leaks"][0]) == {"exact": 1}

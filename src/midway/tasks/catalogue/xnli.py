"""XNLI: premise and hypothesis in fifteen languages, with Croatian and Burmese added."""

from pathlib import Path

from midway.tasks.card import SPLITS, DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import finish_xnli, xnli
from midway.tasks.readers.nli import read_xnli
from midway.tasks.sources import find_first

_XTREME = "ar bg de el en es fr hi ru sw th tr ur vi zh"
_FILES = {"train": "train", "validation": "dev", "test": "test"}


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    part = _FILES[split]
    if language == "hr":
        places = ("xnli/c-xnli", "c-xnli", "C-XNLI/data")
        return find_first(folders, *(f"{place}/xnli.{part}.hr.csv" for place in places))
    if language == "my":
        places = ("xnli/myxnli", "myxnli", "myXNLI/output/my")
        return find_first(folders, *(f"{place}/my.genre.{part}.tsv" for place in places))
    if split == "train":
        name = f"multinli.train.{language}.tsv"
        original = ("XNLI-MT-1.0/multinli", "xnli/XNLI-MT-1.0/multinli", "XNLI-MT-1.0/xnli", "xnli")
        complete = [f"{place}/{name}" for place in original]
        return find_first(
            folders, *complete, f"xnli/train-{language}.tsv", f"xnli-mt-subset/{name}"
        )
    names = [f"{place}xnli.{part}.tsv" for place in ("XNLI-1.0/", "xnli/XNLI-1.0/", "xnli/")]
    names += [name.removesuffix("tsv") + "jsonl" for name in names]
    return find_first(folders, *names, f"xnli/{part}-{language}.tsv")


CARD = TaskCard(
    name="xnli",
    title="XNLI cross-lingual natural language inference",
    family="classification",
    roles=("intermediate", "target"),
    languages=(*_XTREME.split(), "hr", "my"),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="CC BY-NC 4.0 (training data: MultiNLI's OANC and CC BY/BY-SA 3.0 parts, translated)",
    citation=(
        "Conneau, Rinott, Lample, Williams, Bowman, Schwenk and Stoyanov (2018). XNLI: Evaluating "
        "Cross-lingual Sentence Representations. EMNLP. arXiv:1809.05053; hr: Obadić, Jertec, "
        "Rajnović and Dropuljić (2022). C-XNLI: Croatian Extension of XNLI Dataset; my: Htet and "
        "Dras (2025). Myanmar XNLI. Language Resources and Evaluation. arXiv:2504.09645"
    ),
    homepage="https://github.com/facebookresearch/XNLI",
    summary=(
        "Does a premise entail a hypothesis, contradict it, or neither? 2,490 English pairs for "
        "validation and 5,010 for test were written as for MultiNLI and translated by people into "
        "14 languages, later into Croatian (hr) and Burmese (my). XTREME trains on the 392,702 "
        "English pairs of MultiNLI; train here holds their machine translations, for training on "
        "translated data and for intermediate training in other languages."
    ),
    notes=(
        "All languages are parallel: ids are row numbers, and the three hypotheses of a premise "
        "are one document; in train each row is a document, with the same number everywhere.",
        "Languages score on translations of one text, so they share its topics and its artefacts; "
        "the Burmese and Croatian parts are no part of XTREME.",
        "Training files spell a label contradictory, which is taken as contradiction; their text "
        "is tokenised, that of validation and test is not.",
        "XTREME's preparation removes the labels of its test files; those are refused.",
        "Readers of XTREME's code skipped the first pair of files without a header until January "
        "2021.",
    ),
    labels=("entailment", "neutral", "contradiction"),
    train_tasks=("mnli",),
    find=_find,
    read=read_xnli,
    hub=HubSource(
        "facebook/xnli", "{code}", SPLITS, tuple(_XTREME.split()), xnli, finish=finish_xnli
    ),
)

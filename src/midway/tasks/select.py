"""Which examples a study uses: folds, budgets and languages.

1. A fold is half of the documents (`midway.tasks.folds`).
2. A training budget is dealt to the languages in turn, so each has the same number, remainders
   go to the first and what a small language lacks goes to the others. Which examples are taken
   depends on a hash of seed, language and id, so 2,000 of them are among the 4,000.
3. An evaluation subset is a number per language, chosen by a hash of seed and id alone: parallel
   data stay aligned.
4. Candidates of a search are not counted: an evaluation searches all of them (those of a fold,
   if there is one), and a training budget takes those that are right for a chosen query.
5. What is chosen keeps the order of the files.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from midway.errors import DataError, StudyError, suggest
from midway.languages import resolve
from midway.tasks.card import DataFolders, TaskCard
from midway.tasks.examples import Example, RankedText
from midway.tasks.files import find_files, read_files
from midway.tasks.folds import FOLDS, folded
from midway.tasks.related import is_selector, related


def select(
    examples: Sequence[Example],
    *,
    total: int | None = None,
    per_language: int | None = None,
    fold: str | None = None,
    seed: int = 0,
    alpha: float = 0.0,
    skip: int = 0,
    at_most: bool = False,
) -> list[Example]:
    """Return the part of `examples` that a study asks for, in the order of the files.

    Args:
        examples: examples of one task and split, in any number of languages.
        total: a training budget, over all languages together.
        per_language: the size of an evaluation subset, in each language.
        fold: ``A`` or ``B``; applied first. None takes both.
        seed: which examples are taken; the same seed gives nested budgets.
        alpha: languages share `total` by their size to this power; 0 is evenly.
        skip: of `total`, leave out the examples that a budget of this size takes.
        at_most: a `total` greater than what there is means all.

    Raises:
        DataError: there are fewer examples than asked for; says how many there are.
        StudyError: both sizes are given, a size is not positive, or the fold is not A or B.
    """
    if total is not None and per_language is not None:
        raise StudyError("examples are asked for in all and per language; give one of the two")
    if fold is not None and fold not in FOLDS:
        raise StudyError(f"fold {fold!r} does not exist; expected A or B, or leave it out")
    size = total if total is not None else per_language
    if size is not None and size < 1:
        raise StudyError(f"{size} examples asked for; expected at least 1, or leave it out")
    candidates = [e for e in examples if is_candidate(e)]
    if candidates:
        queries = select(
            [e for e in examples if not is_candidate(e)],
            total=total, per_language=per_language, fold=fold, seed=seed, alpha=alpha,
            skip=skip, at_most=at_most,
        )  # fmt: skip
        others = [] if total is not None else candidates
        return _with_candidates(examples, queries, folded(others, fold))
    pool = folded(examples, fold)
    where = f" in fold {fold}" if fold else ""
    if not pool:
        raise DataError(f"no examples{where} (of {len(examples)}); there is nothing to use")
    if size is None or (at_most and size >= len(pool)):
        return pool
    ordered = _by_hash(pool, seed, by_language=total is not None)
    sizes = {language: len(members) for language, members in ordered.items()}
    quotas = (
        _equal(sizes, size, where)
        if total is None
        else deal(sizes, total, alpha=alpha, where=where)
    )
    before = deal(sizes, skip, alpha=alpha) if skip else dict.fromkeys(sizes, 0)
    chosen = {i for name, all_ in ordered.items() for i in all_[before[name] : quotas[name]]}
    return [example for position, example in enumerate(pool) if position in chosen]


def _by_hash(pool: Sequence[Example], seed: int, *, by_language: bool) -> dict[str, list[int]]:
    """Positions of each language's examples in the order in which they are taken."""
    members: dict[str, list[tuple[bytes, int]]] = {}
    for position, example in enumerate(pool):
        prefix = f"{seed}\x1f{example.language}\x1f" if by_language else f"{seed}\x1f"
        order = sha256((prefix + example.id).encode("utf-8")).digest()
        members.setdefault(example.language, []).append((order, position))
    return {name: [place for _, place in sorted(found)] for name, found in members.items()}


def _equal(sizes: Mapping[str, int], size: int, where: str) -> dict[str, int]:
    """`size` examples of every language, if each has as many."""
    for language, there in sizes.items():
        if there < size:
            raise DataError(
                f"{size} examples per language asked for, but {language} has {there}{where}; "
                "ask for fewer or leave the language out"
            )
    return dict.fromkeys(sizes, size)


def is_candidate(example: Example) -> bool:
    """Whether an example is one of the texts that are searched."""
    return isinstance(example, RankedText) and example.side == "candidate"


def without_answer(examples: Sequence[Example]) -> tuple[int, int]:
    """How many queries share no key with any candidate, and how many queries there are.

    Bitext is not counted: most of its sentences have no translation by design.
    """
    candidates = [e for e in examples if isinstance(e, RankedText) and is_candidate(e)]
    queries = [e for e in examples if isinstance(e, RankedText) and not is_candidate(e) and e.keys]
    known = {key for candidate in candidates for key in candidate.keys}
    return sum(known.isdisjoint(query.keys) for query in queries), len(queries)


def _with_candidates(
    examples: Sequence[Example], queries: Sequence[Example], others: Sequence[Example]
) -> list[Example]:
    """Queries, the candidates that have a key of one in its language, and `others`."""
    wanted = {(e.language, key) for e in queries if isinstance(e, RankedText) for key in e.keys}
    chosen = {id(example) for example in (*queries, *others)}
    return [
        e
        for e in examples
        if id(e) in chosen
        or (
            isinstance(e, RankedText)
            and e.side == "candidate"
            and any((e.language, key) in wanted for key in e.keys)
        )
    ]


def deal(
    sizes: Mapping[str, int], total: int, *, alpha: float = 0.0, where: str = ""
) -> dict[str, int]:
    """Deal `total` examples to languages one at a time in turn, as far as each one's size allows.

    With `alpha` a language's turns come in proportion to its size to that power, by the method of
    Sainte-Laguë: the next example goes to the language whose power is greatest when divided by
    twice what it has, plus 1.

    Args:
        sizes: examples there are, by language.
        total: examples wanted.
        alpha: 0 (evenly) to 1 (in proportion to size).
        where: added to the message, such as `` in fold A``.

    Returns:
        Examples per language. No language's number falls when `total` rises, so budgets nest.

    Raises:
        DataError: there are fewer than `total`.
    """
    there = sum(sizes.values())
    if total > there:
        by_language = ", ".join(f"{language} {size}" for language, size in sizes.items())
        raise DataError(
            f"{total} examples asked for, but there are {there}{where} ({by_language}); "
            "ask for fewer or add languages"
        )
    quotas = dict.fromkeys(sizes, 0)
    if alpha:
        return _deal_by_power(sizes, total, alpha)
    left = total
    while left:
        open_ = [language for language in sizes if quotas[language] < sizes[language]]
        share = max(1, left // len(open_))
        for language in open_:
            taken = min(share, sizes[language] - quotas[language], left)
            quotas[language] += taken
            left -= taken
    return quotas


def _deal_by_power(sizes: Mapping[str, int], total: int, alpha: float) -> dict[str, int]:
    names = list(sizes)
    quotas = dict.fromkeys(names, 0)
    turns = [(-(float(sizes[name]) ** alpha), place) for place, name in enumerate(names)]
    heapq.heapify(turns)
    for _ in range(total):
        _, place = turns[0]
        name = names[place]
        quotas[name] += 1
        if quotas[name] == sizes[name]:
            heapq.heappop(turns)
        else:
            power = float(sizes[name]) ** alpha
            heapq.heapreplace(turns, (-power / (2 * quotas[name] + 1), place))
    return quotas


def present(card: TaskCard, folders: DataFolders) -> dict[str, list[str]]:
    """Return, per split, the languages with files at hand; nothing is read."""
    return {split: _present(card, folders, split) for split in card.splits}


def counts(card: TaskCard, folders: DataFolders) -> dict[str, dict[str, int]]:
    """Return the number of examples per split and language; every file is read.

    Raises:
        DataError: a file is damaged.
    """
    return {
        split: {
            language: len(
                read_files(
                    card, find_files(card, folders, split, language), split, language
                ).examples
            )
            for language in languages
        }
        for split, languages in present(card, folders).items()
    }


def resolve_languages(
    card: TaskCard, requested: Sequence[str] | str, folders: DataFolders, split: str
) -> list[str]:
    """Return the benchmark's codes of the requested languages, in the order asked for.

    Args:
        card: the task.
        requested: codes in any common form (``sw``, ``swh``, ``swh_Latn``), or ``"all"`` for
            every language with files at hand. Sets of related languages (``family:sw``, see
            `midway.tasks.related`) may stand among the codes; their members come in the task's
            order. A language named twice is taken once.
        folders: where to look for files.
        split: the split that is wanted.

    Raises:
        StudyError: the task has no such split or language, and suggests the nearest one; or a
            set is empty.
        DataError: the task has the language, but its files are not at hand; says which are.
    """
    if split not in card.splits:
        raise StudyError(
            f"{card.name} has no split {split!r}.{suggest(split, card.splits)} "
            f"It has: {', '.join(card.splits)}"
        )
    here = _present(card, folders, split)
    if not here:
        looked = ", ".join(map(str, folders)) or "no data folder"
        raise DataError(
            f"no files of {card.name} ({split}) in {looked}; give their folder with --data or "
            f"MIDWAY_DATA, `midway tasks {card.name}` says what is needed"
        )
    if requested == "all":
        return here
    if isinstance(requested, str):
        raise StudyError(f'languages of {card.name}: {requested!r}, expected a list or "all"')
    codes: dict[str, None] = {}
    for each in requested:
        found = (
            related(each, here, f"{card.name} ({split})")
            if is_selector(each)
            else [_resolve(card, each, here, split)]
        )
        codes |= dict.fromkeys(found)
    return list(codes)


def _present(card: TaskCard, folders: DataFolders, split: str) -> list[str]:
    return [language for language in card.languages if find_files(card, folders, split, language)]


def _resolve(card: TaskCard, code: str, here: Iterable[str], split: str) -> str:
    """Return the task's code for `code` if its files are at hand."""
    known = list(card.languages)
    found = resolve(code, known)
    if found is None:
        raise StudyError(
            f"{card.name} has no language {code!r}.{suggest(code, known)} It has: {' '.join(known)}"
        )
    if found not in here:
        raise DataError(
            f"no files of {card.name} ({split}) in language {found!r}; at hand: {' '.join(here)}"
        )
    return found

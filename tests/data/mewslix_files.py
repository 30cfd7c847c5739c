"""Small files in Mewsli-X's published layout; the text is ours."""

import json

TEXT = "Heavy rain fell. People in {name} stayed at home. The river rose."


def _spans(text):
    ends = [place + 1 for place, sign in enumerate(text) if sign == "."]
    begins = [0, *(end + 1 for end in ends[:-1])]
    return [{"start": b, "end": e} for b, e in zip(begins, ends, strict=True)]


def _mention(number, name, text):
    start = text.index(name)
    return {
        "example_id": f"m{number}",
        "entity_id": f"Q{number}",
        "mention_span": {"start": start, "end": start + len(name), "text": name},
    }


def _entity(number, name, language):
    description = f"{name} is a town on a river."
    return {
        "entity_id": f"Q{number}",
        "title": name,
        "description": description,
        "description_language": language,
        "sentence_spans": _spans(description),
    }


def write(folder):
    """Mentions in German and Spanish, entities described in these and in Haitian, pairs."""
    articles, entities, pairs = [], [], []
    for number in range(36):
        name = f"Villa{chr(97 + number % 26)}{number}"
        text = TEXT.format(name=name)
        spoken = "de" if number % 2 else "es"
        context = {"text": text, "sentence_spans": _spans(text)}
        mention = _mention(number, name, text)
        articles.append({"context": context | {"language": spoken}, "mentions": [mention]})
        entities.append(_entity(number, name, ("de", "es", "ht")[number % 3]))
        both = {"context": context | {"language": "en"}, "mention": mention}
        pairs.append({"contextual_mention": both, "entity": _entity(number, name, "en")})
    files = {
        "wikinews_mentions-test": articles,
        "candidate_set_entities": entities,
        "wikipedia_pairs-train": pairs,
    }
    (folder / "mewslix").mkdir()
    for name, rows in files.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"mewslix/{name}.jsonl").write_text(text, encoding="utf-8")

"""Write src/midway/languages.json: public facts about the language varieties midway knows.

``language_varieties.tsv`` says which varieties there are and under which code or name each source
lists them; this script joins the sources' figures. Run it as

    python scripts/build_languages.py DATA_FOLDER [OUTPUT]

DATA_FOLDER holds ``langinfo/`` as described in docs/data-sources.md. The output is deterministic.
"""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Row = dict[str, str]

VARIETIES = Path(__file__).with_name("language_varieties.tsv")
OUTPUT = Path(__file__).parents[1] / "src" / "midway" / "languages.json"

SOURCES = {
    "glottocode, family, macro_area, latitude, longitude": (
        "Glottolog 5.1 (Hammarström et al.), CC BY 4.0"
    ),
    "genus": "WALS Online (Dryer & Haspelmath, eds.), CC BY 4.0",
    "syntax, syntax_documented": "URIEL (Littell et al. 2017), lang2vec 1.1.2, CC BY-SA 4.0",
    "joshi_class": "Joshi et al. 2020, The State and Fate of Linguistic Diversity",
    "cc100_tokens_millions, cc100_gib": "Conneau et al. 2020, XLM-R, CC-100 figures",
    "wikipedia_articles, in_mbert": "Wikipedia statistics and mBERT's list, collected by S. Mayhew",
}

# Groups of languages that benchmarks treat as one: no ISO 639-3 code of their own in Glottolog.
# Glottocode of the group, and the member that lends its macro-area and its place.
GROUPS = {
    "ber": ("berb1260", "tzm"),
    "nah": ("azte1234", "azz"),
    "oto": ("otom1300", "ote"),
    "srd": ("sard1257", "src"),
}

# The collection of statistics misses Mongolian, which the cased mBERT does have: without it the
# list has 103 entries (Chinese counted twice), and the published one has 104.
ALSO_IN_MBERT = {"mn"}


@dataclass(frozen=True)
class Sources:
    """The sources' rows, by the code or name that `language_varieties.tsv` uses."""

    glottolog_by_iso: dict[str, Row]
    glottolog_by_id: dict[str, Row]
    wals_genus: dict[str, str]
    taxonomy: dict[str, int]
    cc100: dict[str, tuple[float, float]]
    wikipedia: dict[str, Row]
    syntax: dict[str, tuple[str, int]]


def read_table(path: Path, *, delimiter: str = ",") -> Iterator[Row]:
    """Yield the rows of a delimited file, gzipped or not, skipping comment lines."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    lines = [line for line in io.StringIO(text, newline="") if not line.startswith("# ")]
    yield from csv.DictReader(lines, delimiter=delimiter)


def read_sources(folder: Path) -> Sources:
    """Read everything under ``langinfo``."""
    glottolog = list(read_table(folder / "glottolog" / "languages.csv.gz"))
    sizes = folder / "pretraining-sizes"
    return Sources(
        glottolog_by_iso={row["ISO639P3code"]: row for row in glottolog if row["ISO639P3code"]},
        glottolog_by_id={row["ID"]: row for row in glottolog},
        wals_genus=read_genera(folder / "wals" / "languages.csv.gz"),
        taxonomy=read_taxonomy(folder / "joshi2020"),
        cc100=read_cc100(sizes / "cc-100.csv"),
        wikipedia={row["Wiki"]: row for row in read_table(sizes / "wiki.csv")},
        syntax=read_syntax(folder / "uriel"),
    )


def read_syntax(folder: Path) -> dict[str, tuple[str, int]]:
    """Return ISO 639-3 code → URIEL's syntactic features as 0 and 1, and how many are documented.

    The others are predicted from kin, neighbours and similar languages (nearest neighbours).
    """
    tables = []
    for name in ("feature_predictions", "feature_averages"):
        with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
            chosen = [n for n, feature in enumerate(file["feats"]) if feature.startswith("S_")]
            rows = file["data"][:, chosen, 0]
            tables.append(dict(zip(file["langs"].tolist(), rows, strict=True)))
    predicted, averages = tables
    bits = {
        code: "".join("01"[int(value > 0.5)] for value in row) for code, row in predicted.items()
    }
    return {code: (text, int((averages[code] >= 0).sum())) for code, text in bits.items()}


def read_genera(path: Path) -> dict[str, str]:
    """Return ISO 639-3 code → WALS genus of the first row that lists the code."""
    genera: dict[str, str] = {}
    for row in read_table(path):
        for code in (row["ISO_codes"] or row["ISO639P3code"]).split():
            if row["Genus"]:
                genera.setdefault(code, row["Genus"])
    return genera


def read_taxonomy(folder: Path) -> dict[str, int]:
    """Return code → class and =name → class; where a code has several rows the highest class."""
    classes: dict[str, int] = {}
    for line in (folder / "lang2tax.txt.codes").read_text(encoding="utf-8").splitlines():
        code, number, _name = line.split(",", 2)
        classes[code] = max(int(number), classes.get(code, 0))
    for line in (folder / "lang2tax.txt").read_text(encoding="utf-8").splitlines():
        name, number = line.rsplit(",", 1)
        classes["=" + name] = max(int(number), classes.get("=" + name, 0))
    return classes


def read_cc100(path: Path) -> dict[str, tuple[float, float]]:
    """Return code or name → (million tokens, GiB); rows with the same code are added up.

    Burmese has two rows, one of them in a legacy encoding; Chinese has two, kept apart by name.
    """
    sizes: dict[str, tuple[float, float]] = {}
    for row in read_table(path):
        size = float(row["Tokens (M)"]), float(row["Size (GiB)"])
        tokens, gib = sizes.get(row["ISO code"], (0.0, 0.0))
        sizes[row["ISO code"]] = (tokens + size[0], round(gib + size[1], 1))
        sizes[row["Language"]] = size
    return sizes


def join(row: Row, sources: Sources) -> dict[str, Any]:
    """Return the record of one variety."""
    iso, script = row["code"].split("_")[:2]
    glottocode, lender = GROUPS.get(iso, ("", iso))
    place = sources.glottolog_by_iso[lender]
    node = sources.glottolog_by_id[glottocode] if glottocode else place
    family = sources.glottolog_by_id[node["Family_ID"]]["Name"] if node["Family_ID"] else None
    classes = [sources.taxonomy[key] for key in row["taxonomy"].split("|") if key != "-"]
    tokens, gib = (None, None) if row["cc100"] == "-" else sources.cc100[row["cc100"]]
    syntax, documented = sources.syntax.get(iso) or sources.syntax[lender]
    wiki = None if row["wikipedia"] == "-" else sources.wikipedia[row["wikipedia"]]
    return {
        "code": row["code"],
        "iso639_3": iso,
        "glottocode": node["ID"],
        "name": row["name"],
        "script": script,
        "family": family or "isolate",
        "genus": sources.wals_genus.get(iso if row["genus"] == "-" else row["genus"]),
        "macro_area": place["Macroarea"] or None,
        "latitude": float(place["Latitude"]) if place["Latitude"] else None,
        "longitude": float(place["Longitude"]) if place["Longitude"] else None,
        "syntax": syntax,
        "syntax_documented": documented,
        "joshi_class": max(classes, default=None),
        "cc100_tokens_millions": tokens,
        "cc100_gib": gib,
        "wikipedia_articles": int(wiki["Articles"].replace(",", "")) if wiki else None,
        "in_xlmr": gib is not None,
        "in_mbert": bool(wiki) and in_mbert(wiki or {}),
        "aliases": row["aliases"].split(),
    }


def in_mbert(wiki: Row) -> bool:
    """Whether an edition of Wikipedia was part of mBERT's training text."""
    return wiki["In mBERT?"] == "y" or wiki["Wiki"] in ALSO_IN_MBERT


def build(data: Path) -> str:
    """Return the text of languages.json, one variety a line."""
    sources = read_sources(data / "langinfo")
    records = [join(row, sources) for row in read_table(VARIETIES, delimiter="\t")]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    header = json.dumps({"sources": SOURCES}, ensure_ascii=False, indent=1).removesuffix("\n}")
    return header + ',\n "languages": [\n' + ",\n".join(lines) + "\n]}\n"


def main(arguments: list[str]) -> None:
    """Write the table."""
    if not 1 <= len(arguments) <= 2:
        sys.exit("usage: build_languages.py DATA_FOLDER [OUTPUT]")
    output = Path(arguments[1]) if len(arguments) == 2 else OUTPUT
    output.write_text(build(Path(arguments[0])), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

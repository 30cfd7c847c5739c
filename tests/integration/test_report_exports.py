"""Figures as SVG and CSV, tables for papers, and results opened again."""

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from markupsafe import Markup
from synthetic_study import EFFECTS, LANGUAGES, PROVENANCE, TARGETS, make_runs

import midway
from midway.analysis import analyse, read_csv, write_csv, write_parquet, write_summary
from midway.analysis.formats import csv_cell
from midway.errors import StoreError
from midway.languages import languages
from midway.report import FORMATS, page, write_figures, write_report
from midway.report.escape import file_name, latex, markdown, short_path
from midway.report.svg import standalone

BAD = '=<script>alert("x")</script>&_$#|*[x](y)\\'


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    runs = make_runs(tmp_path_factory.mktemp("study"), examples=120)
    return analyse("synthetic", "", runs, PROVENANCE, resamples=200)


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures") / "new"
    write_figures(data, folder)
    return folder


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """A study whose names are markup, formulas and commands."""
    names = {BAD: 5.0, "-2+3": 1.0}
    spoken = ("en", "sw", "=cmd|'/c calc'!A0")
    root = tmp_path_factory.mktemp("bad")
    runs = []
    for place, name in enumerate(names):  # a name with a slash is no folder
        made = make_runs(root / str(place), effects={"x": 3.0}, examples=30, languages=spoken)
        runs += [
            run.__class__(*(name if field == "x" else field for field in values(run)))
            for run in made
            if run.intermediate == "x" or place == 0
        ]
    provenance = PROVENANCE | {"contrasts": [[BAD, "-2+3"]], "intermediates": {}}
    return analyse(BAD, BAD, runs, provenance, resamples=50)


def values(run):
    return [getattr(run, name) for name in run.__dataclass_fields__]


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_every_figure_of_the_page_is_a_file_with_its_numbers(data, folder):
    names = {path.stem for path in folder.glob("*.svg")}
    assert names == {
        "gains-by-target",
        "gains-forest",
        "contrasts-forest",
        "groups-forest",
        "slopes-forest",
        "gains-by-language",
        *(f"resource-class-{name}" for name in EFFECTS),
        *(f"corpus-size-{name}" for name in EFFECTS),
        *(f"languages-{target}" for target in TARGETS),
    }
    for path in folder.glob("*.svg"):
        assert rows_of(path.with_suffix(".csv"))
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "href" not in path.read_text(encoding="utf-8")
        for part in root.iter():
            assert part.tag.startswith("{http://www.w3.org/2000/svg}")


def test_a_large_study_makes_a_page_below_five_megabytes(tmp_path):
    """50 languages, 10 intermediates, 10 targets, 3 seeds."""
    known = {x.name: x for x in languages() if x.joshi_class is not None and x.name != "English"}
    codes = ("en", *(x.code for x in list(known.values())[:49]))
    effects = {f"intermediate-{number}": number - 4.0 for number in range(10)}
    runs = make_runs(
        tmp_path,
        effects=effects,
        seeds=(1, 2, 3),
        examples=4,
        languages=codes,
        targets={f"target-{n}": ("tagging", "f1", True, 50.0 + n) for n in range(10)},
    )
    planned = {name: {"languages": codes[:20], "tasks": ["x"]} for name in effects}
    data = analyse("large", "", runs, {"intermediates": planned}, resamples=20)
    assert len(data.by_language) == 50 * 10 * 10
    text = page(data)
    assert all(name in text for name in effects)
    assert len(text.encode()) < 5_000_000
    assert "<summary>Each target: 10</summary>" in text  # 110 intervals are not shown at once


def test_numbers_beside_a_figure_are_those_of_the_analysis(data, folder):
    found = {(r["intermediate"], r["target"]): r for r in rows_of(folder / "gains-by-target.csv")}
    assert len(found) == len(data.gains) == len(EFFECTS) * len(TARGETS)
    for gain in data.gains:
        row, interval = found[gain.intermediate, gain.target], gain.mean.interval
        assert float(row["gain"]) == interval.estimate
        assert (float(row["low"]), float(row["high"])) == (interval.low, interval.high)
        assert (float(row["p"]), float(row["q"])) == (gain.mean.p, gain.mean.q)
        assert float(row["score"]) - float(row["baseline"]) == pytest.approx(float(row["gain"]))
    rows = rows_of(folder / "gains-by-language.csv")
    assert {row["code"] for row in rows} == set(LANGUAGES)
    drawn = (folder / "resource-class-squad-en.svg").read_text(encoding="utf-8").count("<circle")
    assert drawn == len(LANGUAGES)


def test_figures_are_the_same_for_the_same_scores(data, folder, tmp_path):
    again = write_figures(data, tmp_path)
    assert [path.name for path in again] == [path.name for path in write_figures(data, folder)]
    for path in again:
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_names_of_files_are_plain_and_never_meet():
    names = ["squad-en", "Squad EN", "squad en", "../../x", "日本語", "", "a" * 300, "a" * 301]
    files = [file_name(name) for name in names]
    assert files[0] == "squad-en"
    assert len(set(files)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,47}", name) for name in files)


def test_text_from_data_stays_text_in_every_figure(bad, tmp_path):
    written = write_figures(bad, tmp_path)
    assert all(path.parent == tmp_path for path in written)
    for path in written:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".svg":
            root = ElementTree.fromstring(text)
            assert root.findall(".//{*}text")
            assert not root.findall(".//{*}script")
            continue
        for row in csv.reader(io.StringIO(text)):
            for item in row:
                assert not item.startswith(("=", "@", "+")), (path, item)
                assert not item.startswith("-") or float(item) < 0, (path, item)


def test_signs_that_xml_forbids_are_replaced():
    text = standalone(
        Markup('<svg width="9" height="9"><text>{}</text></svg>').format("a\x07b"), "\x00"
    )
    (found,) = ElementTree.fromstring(text).findall(".//{*}text")
    assert found.text == "a\ufffdb"


def test_a_spreadsheet_sees_text_and_numbers():
    assert [csv_cell(v) for v in ("=1+1", "+a", "-a", "@x", "\tx", "a=1")] == [
        "'=1+1", "'+a", "'-a", "'@x", "'\tx", "a=1"
    ]  # fmt: skip
    assert [csv_cell(v) for v in (-1.5, 3, None, True)] == [-1.5, 3, None, True]


def test_results_as_csv_hold_no_formula_and_come_back_as_they_were(bad, tmp_path):
    write_csv(bad.rows, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)
    assert "'-2+3" in cells
    assert read_csv(tmp_path / "results.csv") == list(bad.rows)


def test_the_markdown_tables_hold_the_gains(data):
    text = FORMATS["markdown"][1](data)
    assert data.verdict.headline in text
    table = [line for line in text.splitlines() if line.startswith("| squad-en")]
    gain = next(row for row in data.gains if row.intermediate == "squad-en")
    assert f"{gain.mean.interval.estimate:+.1f} ▲" in table[0]
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    heads = [line for line in text.splitlines() if line.startswith("|:")]
    assert len(heads) == 3
    assert widths == {line.count("|") for line in heads}


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)


def test_markdown_keeps_text_from_data_as_text(bad):
    text = FORMATS["markdown"][1](bad)
    assert Tags(text).found == set()
    assert not re.search(r"(?<!\\)\[x\]\(", text)
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line[:2] == "| "}
    heads = {line.count("|") for line in text.splitlines() if line.startswith("|:")}
    assert bars == heads
    assert markdown("a|b\nc") == r"a\|b c"


def test_latex_keeps_text_from_data_as_text(bad, data):
    assert latex(r"50% of \input{x} & _a^2 #1 $~") == (
        r"50\% of \textbackslash{}input\{x\} \& \_a\textasciicircum{}2 \#1 \$\textasciitilde{}"
    )
    for study in (bad, data):
        text = FORMATS["latex"][1](study)
        body = re.sub(r"^%.*$", "", text, flags=re.MULTILINE)
        assert set(re.findall(r"\\([a-zA-Z]+)", body)) <= {
            "begin", "end", "centering", "caption", "label", "hline", "cdot", "Uparrow",
            "Downarrow", "uparrow", "downarrow",
            "textbackslash", "textasciicircum", "textasciitilde",
        }  # fmt: skip
        assert body.count("{") - body.count(r"\{") == body.count("}") - body.count(r"\}")
        found = re.findall(r"\\begin\{tabular\}\{(lr*)\}(.*?)\\end", body, re.DOTALL)
        assert len(found) == 3
        for table in found:
            for line in table[1].strip().splitlines():
                if line != r"\hline":
                    assert len(re.findall(r"(?<!\\)&", line)) == len(table[0]) - 1, line
                    assert line.endswith(r" \\")


def test_only_the_end_of_a_path_of_this_machine_is_shown(data):
    assert short_path("/home/who/secret/data/xquad/xquad.sw.json") == "…/data/xquad/xquad.sw.json"
    assert short_path("xquad/xquad.sw.json") == "xquad/xquad.sw.json"
    assert short_path("offline:multilingual-e5-small") == "offline:multilingual-e5-small"
    found = PROVENANCE["files"][0] | {"file": "/home/who/secret/data/xquad/te.json"}
    text = page(data.__class__(**fields_of(data) | {"provenance": PROVENANCE | {"files": [found]}}))
    assert "…/data/xquad/te.json" in text
    assert "/home/who" not in text


def fields_of(data):
    return {name: getattr(data, name) for name in data.__dataclass_fields__}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    runs = make_runs(tmp_path_factory.mktemp("study"), examples=60)
    out = tmp_path_factory.mktemp("out")
    data = write_report("synthetic", "", runs, PROVENANCE, out)
    return data, midway.open_results(out)


def test_results_open_again_with_the_same_numbers(results):
    data, opened = results
    assert opened.study == "synthetic"
    assert opened.verdict == data.verdict.headline
    assert opened.answers == {answer.key: answer.answer for answer in data.verdict.answers}
    assert opened.caveats == list(data.verdict.caveats)
    assert opened.table.num_rows == len(data.rows)
    gains = {(g["intermediate"], g["target"]): g for g in opened.gains.to_pylist()}
    assert len(gains) == len(data.gains)
    for row in data.gains:
        found, interval = gains[row.intermediate, row.target], row.mean.interval
        assert [found[part] for part in ("gain", "low", "high", "p", "q")] == [
            interval.estimate,
            interval.low,
            interval.high,
            row.mean.p,
            row.mean.q,
        ]
    assert opened.by_language.num_rows == len(data.by_language)
    assert opened.averages.num_rows == len(data.averages)
    (contrast,) = opened.contrasts.to_pylist()
    assert contrast["first"] == ["xquad-multi"]
    assert contrast["low_minus_high_low"] < contrast["low_minus_high_high"]


def test_results_show_themselves(results):
    data, opened = results
    assert data.verdict.headline in repr(opened)
    html = opened._repr_html_()
    assert html.count("<tr>") == 1 + len(EFFECTS)
    for row in data.gains:
        assert f"{abs(row.mean.interval.estimate):.1f}" in html


def test_markup_in_results_stays_text(bad, tmp_path):
    write_parquet(bad.rows, tmp_path / "results.parquet")
    write_summary(bad, tmp_path / "summary.json")
    opened = midway.open_results(tmp_path)
    assert "<script>" not in opened._repr_html_()
    assert BAD in repr(opened)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"version": 2}'])
def test_a_folder_without_results_is_refused_in_words(tmp_path, text):
    if text is not None:
        (tmp_path / "summary.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match=r"summary\.json.*`midway run`"):
        midway.open_results(str(tmp_path))


def test_importing_midway_loads_neither_arrow_nor_numpy():
    code = (
        "import sys, json, midway; assert 'open_results' in midway.__all__;"
        "print(json.dumps([m for m in ('pyarrow', 'numpy', 'torch') if m in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(found.stdout) == []
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        midway.nothing  # noqa: B018

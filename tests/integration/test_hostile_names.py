"""Markup in every name and text that a study can hold stays text, on the page and elsewhere."""

import csv
import json
import re
from html.parser import HTMLParser

import pytest
from tiny_study import midway, write_study

STUDY = 'x"><img src=x onerror=alert(1)>'
INTERMEDIATE = "<b onmouseover='alert(2)'>{{ 7*7 }}"
TARGET = "'\"><svg onload=alert(3)> & Co"
QUESTION = "<script>alert(4)</script><iframe src='javascript:alert(5)'>?"
DATA = "da <i>ta é"


class Page(HTMLParser):
    """All tags and attributes of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def toml(text):
    return json.dumps(text, ensure_ascii=False)


@pytest.fixture
def hostile(fresh):
    """The tiny study with other names; its data hold markup and lie in a folder of that kind."""
    path = fresh.data / "squad/train-v1.1.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    for number, article in enumerate(document["data"]):
        article["title"] = f"{QUESTION} {number}"
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                question["question"] = f"{QUESTION} {question['question']}"
                question["id"] = f"<blink>{question['id']}</blink>"
    path.write_text(json.dumps(document), encoding="utf-8")
    fresh.data.rename(fresh.folder / DATA)
    fresh.data = fresh.folder / DATA
    write_study(
        fresh.study,
        change=[
            ('name = "tiny"', f"name = {toml(STUDY)}"),
            ('name = "squad-en"', f"name = {toml(INTERMEDIATE)}"),
            ('["xquad-both", "squad-en"]', f'["xquad-both", {toml(INTERMEDIATE)}]'),
            ('task = "udpos"\n', f'task = "udpos"\nname = {toml(TARGET)}\n'),
        ],
    )
    fresh.options = ("--data", fresh.data, "--store", fresh.store)
    return fresh


def check_page(text):
    page = Page(text)
    assert page.tags.count("script") == 1  # ours
    assert not {"img", "iframe", "blink", "object", "embed"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    links = [value for name, value in page.attributes if name in ("href", "src", "action")]
    icon = "data:,"  # none, so that no browser asks for one
    assert not [each for each in links if not each.startswith(("#", "https://")) and each != icon]
    return page


def test_a_whole_study_with_markup_in_its_names(hostile, capfd):
    said = midway(capfd, "run", hostile.study, *hostile.options, "--out", hostile.out)
    assert said.code == 0, said.err
    page = check_page((hostile.out / "report.html").read_text(encoding="utf-8"))
    for name in (STUDY, INTERMEDIATE, TARGET):
        assert name in page.text or name.replace("'", "’") in page.text, name
    assert "49" not in page.text.split(INTERMEDIATE[:10])[1][:20]  # no template in a template
    with (hostile.out / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["study"] for row in rows} == {STUDY}
    assert INTERMEDIATE in {row["intermediate"] for row in rows}
    summary = json.loads((hostile.out / "summary.json").read_text(encoding="utf-8"))
    assert STUDY in json.dumps(summary, ensure_ascii=False).replace('\\"', '"')
    # Files go where they belong, whatever the study is called.
    said = midway(capfd, "report", hostile.study, *hostile.options, "--out", hostile.folder / "r")
    assert said.code == 0, said.err
    check_page((hostile.folder / "r").read_text(encoding="utf-8"))


def test_a_model_card_with_markup_in_its_names(hostile, capfd):
    said = midway(capfd, "run", hostile.study, *hostile.options, "--out", hostile.out)
    assert said.code == 0, said.err
    folder = hostile.folder / "card"
    said = midway(
        capfd, "export", hostile.study, "--what", "card", "--intermediate", INTERMEDIATE,
        *hostile.options, "--out", folder,
    )  # fmt: skip
    assert said.code == 0, said.err
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.count("alert(") > 1
    prose = re.sub(r"^(```+)[^\n]*\n.*?^\1$|(`+).*?\2", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.findall(r"(?<!\\)<(img|b|svg|script|iframe)", prose)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../../outside",
            "/etc/cron.d/x",
            "..",
            ".",
            "a/b",
            "a\\b",
            "",
            "  ",
            "x" * 101,
            "é" * 51,
        ),
        *("a\nb", "a\x1b[2Jb", "a\x00b", "\u202eevil", "tab\there"),
    ],
)
@pytest.mark.parametrize("what", ["study", "intermediate", "target"])
def test_names_that_cannot_name_a_file(fresh, capfd, name, what):
    old = {
        "study": ('name = "tiny"', f"name = {toml(name)}"),
        "intermediate": ('name = "squad-en"', f"name = {toml(name)}"),
        "target": ('task = "udpos"\n', f'task = "udpos"\nname = {toml(name)}\n'),
    }[what]
    write_study(fresh.study, change=[old])
    said = midway(capfd, "plan", fresh.study, *fresh.options)
    if what == "target" and not name:
        return  # left out: the task's name
    assert said.code == 2, said
    (line,) = said.err.splitlines()
    assert line.isprintable()
    assert len(line) < 500
    assert not (fresh.folder.parent / "outside").exists()


@pytest.mark.parametrize("name", ["a b", "ünï-ツ", "a.b", ".hidden", "C++", "100 %", "é" * 50])
def test_names_that_can(fresh, capfd, name):
    write_study(fresh.study, change=[('name = "tiny"', f"name = {toml(name)}")])
    assert midway(capfd, "plan", fresh.study, *fresh.options).code == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('task = "udpos"\n', 'task = "../catalogue/udpos"\n'),
        ('task = "udpos"\n', 'task = "catalogue.udpos"\n'),
        ('task = "udpos"\n', 'task = "__init__"\n'),
        ('task = "udpos"\n', 'task = "udpos\\u0000"\n'),
        ('task = "udpos"\n', 'task = "udpos"\nevaluate = { languages = ["../../x"] }\n'),
        ('encoder = "encoder"', 'encoder = "../../../../etc"'),
        ('encoder = "encoder"', 'encoder = "encoder\\u0000"'),
        ('encoder = "encoder"', 'encoder = "http://example.org/x"'),
        ('encoder = "encoder"', 'encoder = "file:///etc/passwd"'),
        ('encoder = "encoder"', 'encoder = "a/b/c/d"'),
        ('encoder = "encoder"', 'encoder = "someone/../../x@main"'),
    ],
)
def test_a_study_reaches_nothing_that_it_does_not_name(fresh, capfd, old, new):
    change = [(old, new)]
    if "evaluate" in new:
        change = [("evaluate = { examples = 12 }", 'evaluate = { languages = ["../../x"] }')]
    write_study(fresh.study, change=change)
    said = midway(capfd, "plan", fresh.study, *fresh.options)
    assert said.code == 2, said
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.err

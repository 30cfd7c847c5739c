"""Documentation and code say the same: commands, options, keys of a study, tasks."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from midway.cli.main import app
from midway.studies.schema import Study
from midway.tasks import card_names

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def build_docs():
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "scripts/build_docs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_docs"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "study-file.md", "tasks.md"])
def test_generated_pages_are_up_to_date(build_docs, name):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == build_docs.pages()[name], "run `make docs`"


def read(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(page, title):
    """The text below a heading."""
    return page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_help_of_every_command_is_documented(build_docs):
    """What --help prints is read here as text, on another path than the page is made."""
    page, seen = read("cli.md"), 0
    for path, _, _ in build_docs.commands():
        done = CliRunner().invoke(app, [*path[1:], "--help"], env={"COLUMNS": "200"})
        assert done.exit_code == 0
        options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", done.stdout, re.MULTILINE))
        assert "--help" in options
        below = section(page, f"`{' '.join(path)}`")
        assert all(f"`{option}" in below for option in options), path
        seen += 1
    assert seen > 12
    assert "midway store gc" in page


def models(model=Study, seen=None):
    """All tables of the study file."""
    seen = {} if seen is None else seen
    if model not in seen:
        seen[model] = None
        for field in model.model_fields.values():
            for part in [field.annotation, *getattr(field.annotation, "__args__", ())]:
                if hasattr(part, "model_fields"):
                    models(part, seen)
    return list(seen)


def test_every_key_of_a_study_is_documented():
    page = read("study-file.md")
    assert len(models()) == 11
    for model in models():
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no description"
            assert f"| `{name}` |" in page
            assert field.description.replace("|", "\\|") in page


def test_the_example_in_the_documentation_is_a_study(tmp_path):
    from midway.studies.study_file import load_study

    (text,) = re.findall(r"```toml\n(.*?)```", read("study-file.md"), re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text(text, encoding="utf-8")
    assert load_study(path)[0].name == "english-or-multilingual"


def test_every_task_is_documented():
    page = read("tasks.md")
    for name in card_names():
        assert section(page, name).strip()


def test_links_between_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    assert len(pages) > 4
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            place = target.split("#")[0]
            if place and "://" not in place and not place.startswith("mailto:"):
                assert (page.parent / place).exists(), f"{page.name}: {target}"

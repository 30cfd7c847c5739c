"""``midway results`` and ``midway report`` on a synthetic study; opening a study is replaced."""

import json
from types import SimpleNamespace

import pytest
import typer
from synthetic_study import PROVENANCE, make_runs
from typer.testing import CliRunner

from midway.analysis import read_csv, read_parquet
from midway.cli import report_cmd, results_cmd
from midway.studies import provenance, session


@pytest.fixture
def call(tmp_path, monkeypatch):
    runs = make_runs(tmp_path / "store", examples=20)
    study = SimpleNamespace(name="synthetic", encoder="offline:multilingual-e5-small")
    opened = SimpleNamespace(study=study, text='name = "synthetic"')
    monkeypatch.setattr(session, "open_session", lambda *_, **__: opened)
    monkeypatch.setattr(provenance, "scored_runs", lambda _: runs)
    monkeypatch.setattr(provenance, "provenance", lambda _: PROVENANCE)
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    results_cmd.register(app)
    report_cmd.register(app)

    def invoke(*arguments):
        result = CliRunner().invoke(app, [*arguments, "--store", str(tmp_path / "store")])
        assert result.exit_code == 0, result.output
        return result

    return invoke


def test_results_are_printed_in_every_format(call, tmp_path):
    table = call("results", "study.toml").stdout.splitlines()
    rows = json.loads(call("results", "study.toml", "--format", "json").stdout)
    text = call("results", "study.toml", "--format", "csv").stdout
    assert len(table) == len(rows) + 1 == len(text.splitlines())
    assert rows[0]["study"] == "synthetic"
    assert rows[0]["encoder"] == "offline:multilingual-e5-small"
    assert rows[0]["intermediate"] == "none"


def test_results_go_to_a_folder_when_asked_and_parquet_always(call, tmp_path):
    call("results", "study.toml", "--format", "csv", "--out", "there")
    assert call("results", "study.toml", "--format", "parquet").stdout == ""
    parquet = tmp_path / "runs" / "synthetic" / "results.parquet"
    assert read_csv(tmp_path / "there" / "results.csv") == read_parquet(parquet)


def test_report_writes_the_page_and_says_where(call, tmp_path):
    result = call("report", "study.toml")
    assert result.stdout.strip().endswith("runs/synthetic/report.html")
    assert "It depends on the intermediate" in result.stderr
    call("report", "study.toml", "--out", "deep/page.html")
    default = tmp_path / "runs" / "synthetic" / "report.html"
    assert default.read_bytes() == (tmp_path / "deep" / "page.html").read_bytes()


@pytest.mark.parametrize(
    ("form", "ending", "start"), [("markdown", "md", "# synthetic"), ("latex", "tex", "% Tables")]
)
def test_report_writes_tables_for_papers(call, tmp_path, form, ending, start):
    result = call("report", "study.toml", "--format", form)
    path = tmp_path / "runs" / "synthetic" / f"report.{ending}"
    assert result.stdout.strip().endswith(f"runs/synthetic/report.{ending}")
    assert path.read_text(encoding="utf-8").startswith(start)


def test_report_writes_figures_when_asked(call, tmp_path):
    result = call("report", "study.toml", "--figures", "plots")
    written = list((tmp_path / "plots").iterdir())
    assert f"figures: plots ({len(written)} files)" in result.stdout
    assert {path.suffix for path in written} == {".svg", ".csv"}

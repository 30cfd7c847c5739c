import json

import pytest

from midway.analysis.formats import as_csv, as_json, as_table, write_csv
from midway.analysis.results import (
    COLUMNS,
    QA_MEAN,
    ResultRow,
    ScoredRun,
    collect,
    read_csv,
    read_parquet,
    write_parquet,
)
from midway.errors import StoreError

ROW = ResultRow(
    "s, with a comma", "e", "none", "tydiqa", "sw", 1, "test", "official", "f1", 100 / 3, 499
)


def artefact(folder, languages):
    folder.mkdir()
    (folder / "scores.json").write_text(json.dumps({"languages": languages}), encoding="utf-8")
    return ScoredRun("squad-en", "tydiqa", 2, "test", folder, "span_qa", "f1", True)


def test_columns_are_the_contract():
    contract = "study encoder intermediate target language seed split profile metric value n"
    assert (*contract.split(), "collapsed", "restarts", "stopped") == COLUMNS


@pytest.mark.parametrize(("write", "read"), [(write_csv, read_csv), (write_parquet, read_parquet)])
def test_a_written_table_reads_back_to_the_last_digit(tmp_path, write, read):
    rows = [ROW, ROW._replace(language="te", value=0.1 + 0.2)]
    write(rows, tmp_path / "results")
    assert read(tmp_path / "results") == rows


def test_an_empty_table_still_has_its_columns(tmp_path):
    write_parquet([], tmp_path / "results.parquet")
    write_csv([], tmp_path / "results.csv")
    assert read_parquet(tmp_path / "results.parquet") == read_csv(tmp_path / "results.csv") == []


def test_a_bad_cell_is_found_by_its_line(tmp_path):
    path = tmp_path / "results.csv"
    write_csv([ROW, ROW], path)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], lines[2].replace("33.3", "x")]), encoding="utf-8")
    with pytest.raises(StoreError, match=r"results\.csv:3: could not convert"):
        read_csv(path)


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("study,encoder\na,b\n", encoding="utf-8")
    with pytest.raises(StoreError, match="lacks the columns intermediate"):
        read_csv(path)


def test_a_damaged_parquet_file_is_an_error_of_one_line(tmp_path):
    (tmp_path / "r").write_bytes(b"PAR1 nonsense")
    with pytest.raises(StoreError, match="not a Parquet file"):
        read_parquet(tmp_path / "r")


def test_collect_gives_a_row_per_number_and_the_mean_of_f1_and_exact_match(tmp_path):
    metrics = {"f1": 50.0, "exact_match": 40.0}
    run = artefact(
        tmp_path / "a",
        {code: {"n": 3, "official": metrics, "clean": {"f1": 51.0}} for code in ("te", "sw")},
    )
    rows = collect("study", "encoder", [run])
    found = {(row.language, row.profile, row.metric): row.value for row in rows}
    assert found["sw", "official", QA_MEAN] == 45.0
    assert ("sw", "clean", QA_MEAN) not in found
    assert len(rows) == 2 * (3 + 1)
    assert [row.language for row in rows] == ["sw"] * 4 + ["te"] * 4
    assert {(row.intermediate, row.seed, row.n) for row in rows} == {("squad-en", 2, 3)}


@pytest.mark.parametrize("text", ["", "{}", '{"languages": {"sw": {"n": 3}}}', '{"languages": 3}'])
def test_a_damaged_score_artefact_is_named(tmp_path, text):
    run = artefact(tmp_path / "a", {})
    (run.folder / "scores.json").write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match=r"scores\.json"):
        collect("study", "encoder", [run])


def test_all_formats_say_the_same():
    table = as_table([ROW]).splitlines()
    assert table[0].split() == list(COLUMNS)
    assert " 33.33 " in table[1]
    assert json.loads(as_json([ROW]))[0]["value"] == ROW.value
    assert '"s, with a comma"' in as_csv([ROW])

"""Turn report data into one escaped HTML file that needs neither network nor script."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from midway import __version__
from midway.analysis.study import LEVEL, ReportData
from midway.report import about, by_language, drivers, views
from midway.report.cells import answer_style, apart, keep_names, seconds
from midway.report.checks import check_tables
from midway.report.escape import short_path
from midway.report.groups import languages_of

_TEMPLATES = Path(__file__).parent / "templates"
_FEW = 12  # gains that the coloured table shows well enough without a map


def render(data: ReportData, out: Path) -> None:
    """Write ``report.html``.

    Args:
        data: from `midway.analysis.analyse`.
        out: the file; its folder must exist.
    """
    out.write_text(page(data), encoding="utf-8")


def page(data: ReportData) -> str:
    """Return the report as HTML. All text is escaped; nothing is loaded from elsewhere."""
    provenance = data.provenance
    names = data.standing.intermediates
    groups = languages_of(data)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            names=names,
            version=__version__,
            level=round(100 * LEVEL),
            resamples=data.cubes[0].resamples,
            examples=sum(sum(cube.sizes) for cube in data.cubes),
            languages=views.language_count(data),
            missing=about.missing(data),
            leakage=about.leakage(data),
            cost=about.cost(data),
            columns=views.gain_columns(data),
            english=views.english_rows(data),
            target_heat=views.target_heat(data) if len(data.gains) > _FEW else None,
            forest=views.forest(views.gain_groups(data)),
            decomposition=drivers.decomposition_table(data),
            drivers=views.forest(drivers.slope_groups(data)),
            driver_languages=max((row.languages for row in data.slopes), default=0),
            claims=about.claims(data),
            contrast_forest=views.forest(views.contrast_groups(data)),
            gaps=views.forest(views.group_gaps(data)),
            maps=by_language.language_maps(data, groups),
            menus=groups.choices(),
            shown=groups.shown,
            profile=by_language.profile_table(data, groups),
            resources=views.contrast_rows(data, "resources"),
            seen=views.contrast_rows(data, "seen"),
            comparisons=views.comparison_rows(data),
            intermediates=provenance.get("intermediates", {}),
            mixtures=provenance.get("mixtures", ()),
            budgets=provenance.get("budgets", ()),
            match=provenance.get("match"),
            stages=provenance.get("stages", ()),
            data_sources=provenance.get("data", ()),
            files=provenance.get("files", ()),
            checks=check_tables(data),
            doubts=provenance.get("warnings", ()),
            moved=[
                {**row, "what": what}
                for what, key in (("left out", "dropped"), ("put right", "repaired"))
                for row in provenance.get(key, ())
            ],
            collapsed=provenance.get("collapsed", ()),
            trained_on=provenance.get("trained_on", ()),
            best=views.best_rows(data),
            halving=provenance.get("halving"),
            versions=provenance.get("versions", {}),
            commands=provenance.get("commands", ()),
            started=provenance.get("started", ""),
            wall=provenance.get("seconds"),
        )
    )


def _environment() -> Environment:
    """Return what fills the templates: everything is escaped, what is unknown is an error."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (answer_style, apart, keep_names, seconds, short_path):
        environment.filters[function.__name__] = function
    return environment

"""What gains go with, as rows of the page: shares of main effects, slopes on properties."""

from typing import Any

from midway.analysis.estimate import Estimate
from midway.analysis.results import BASELINE
from midway.analysis.study import ReportData
from midway.report.views import Groups


def decomposition_table(data: ReportData) -> dict[str, Any] | None:
    """Return the shares of intermediate, target and both together; None if they are unknown."""
    found = data.decomposition
    if found is None:
        return None
    parts = (
        ("intermediate", found.shares.rows, "some intermediates help more than others everywhere"),
        ("target", found.shares.columns, "some targets gain more than others from any"),
        ("both together", found.shares.interaction, "which one helps depends on the target"),
    )
    return {
        "intermediates": len(found.intermediates),
        "targets": len(found.targets),
        "noise": _percent(found.shares.noise),
        "parts": [
            {"name": name, "share": _percent(share), "depth": round(share / 2, 3), "meaning": what}
            for name, share, what in parts
        ],
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def slope_groups(data: ReportData) -> Groups:
    """Return slopes as groups for a forest plot, one for each intermediate or contrast."""
    groups: Groups = {}
    for row in data.slopes:
        name = row.first if row.second == BASELINE else f"{row.first} − {row.second}"
        groups.setdefault(name, []).append((row.property, Estimate(row.slope, {})))
    return groups

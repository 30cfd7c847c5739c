"""Groups of languages that a reader can filter by: resources, family, script, seen or unseen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from midway.analysis.low_resource import LanguageFacts, facts
from midway.analysis.study import ReportData

_UNKNOWN = "unknown"
_RESOURCES = {True: "low", False: "high", None: _UNKNOWN}


class Languages:
    """What rows of languages say of themselves, and the choices that a page offers for them.

    Args:
        shown: all languages of the page.
        training: intermediate → codes of the languages of its data.
    """

    def __init__(
        self, shown: Sequence[LanguageFacts], training: Mapping[str, Sequence[str]]
    ) -> None:
        self.shown = list({fact.canonical: fact for fact in shown}.values())
        self.training = {
            name: {facts(code).canonical for code in codes} for name, codes in training.items()
        }

    def attributes(self, fact: LanguageFacts) -> Markup:
        """Return the HTML attributes by which a script knows the groups of a language."""
        seen = " ".join(
            str(index)
            for index, codes in enumerate(self.training.values())
            if fact.canonical in codes
        )
        return Markup(
            'data-language="{}" data-resources="{}" data-family="{}" data-script="{}" '
            'data-seen="{}"'
        ).format(
            fact.canonical,
            _RESOURCES[fact.low_resource],
            fact.family or _UNKNOWN,
            fact.script or _UNKNOWN,
            seen,
        )

    def choices(self) -> list[dict[str, Any]]:
        """Return the form's menus: ``name``, ``label``, ``options`` [(value, text)].

        A menu that would not divide the languages is left out.
        """
        seen = [
            (f"{kind}:{index}", f"{kind} by {name}")
            for index, (name, codes) in enumerate(self.training.items())
            if 0 < len(codes & {fact.canonical for fact in self.shown}) < len(self.shown)
            for kind in ("seen", "unseen")
        ]
        menus = (
            ("resources", "Resources", self._values(lambda f: _RESOURCES[f.low_resource])),
            ("family", "Family", self._values(lambda f: f.family or _UNKNOWN)),
            ("script", "Script", self._values(lambda f: f.script or _UNKNOWN)),
        )
        found = [
            {"name": name, "label": label, "options": options}
            for name, label, options in menus
            if len(options) > 1
        ]
        if seen:
            found.append({"name": "seen", "label": "Intermediate data", "options": seen})
        return found

    def _values(self, of: Callable[[LanguageFacts], str]) -> list[tuple[str, str]]:
        counts: dict[str, int] = {}
        for fact in self.shown:
            counts[of(fact)] = counts.get(of(fact), 0) + 1
        return [(value, f"{value} ({count})") for value, count in sorted(counts.items())]


def languages_of(data: ReportData) -> Languages:
    """Return the languages of a study's targets and of its intermediates' data."""
    planned = data.provenance.get("intermediates", {})
    return Languages(
        [facts(code) for cube in data.cubes for code in cube.languages],
        {name: record.get("languages", ()) for name, record in planned.items()},
    )

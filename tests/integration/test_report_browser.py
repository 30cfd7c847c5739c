"""The page in a headless Chromium: console, sorting, filters, dark mode, phone width, printing."""

import base64

import pytest
from browser import Browser, find_chromium
from synthetic_study import LANGUAGES, LOW, PROVENANCE, make_runs

from midway.analysis import analyse
from midway.report import render

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no Chromium: install one (apt-get install chromium) or name it in MIDWAY_CHROMIUM",
)
SHOWN = """Array.from(document.querySelectorAll('%s')).filter(
    item => item.getClientRects().length > 0).length"""
CODES = """Array.from(document.querySelectorAll('#resources table.heat:not(.kinds) tbody tr')).map(
    row => row.querySelector('.code').textContent).join(' ')"""
CHOOSE = """(function () {
    var menu = document.querySelector('select[name=%s]');
    menu.value = '%s';
    menu.dispatchEvent(new Event('change', {bubbles: true}));
    return menu.value;
})()"""
CONTRASTS = """(function () {
    var parse = text => text.match(/[\\d.]+/g).map(Number);
    var bright = colour => {
        var part = parse(colour).slice(0, 3).map(value => {
            value /= 255;
            return value <= 0.03928 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
        });
        return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
    };
    var over = (top, below) => {
        var a = top.length > 3 ? top[3] : 1;
        return below.map((value, place) => a * top[place] + (1 - a) * value);
    };
    var ground = item => {
        var layers = [];
        for (; item; item = item.parentElement)
            layers.push(parse(getComputedStyle(item).backgroundColor));
        return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
    };
    var worst = 21;
    var texts = 'p, td, th, dd, dt, li, label, select, button, output, small, summary';
    document.querySelectorAll(texts).forEach(item => {
        if (!item.getClientRects().length || !item.textContent.trim()) return;
        var below = bright('rgb(' + ground(item).join() + ')');
        var pair = [bright(getComputedStyle(item).color), below].sort((a, b) => b - a);
        worst = Math.min(worst, (pair[0] + 0.05) / (pair[1] + 0.05));
    });
    return worst;
})()"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    runs = make_runs(tmp_path_factory.mktemp("study"), examples=150)
    path = tmp_path_factory.mktemp("page") / "report.html"
    render(analyse("synthetic", "x = 1\n", runs, PROVENANCE, resamples=200), path)
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(CHROMIUM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def test_the_browser_notices_errors(browser, tmp_path):
    """What the tests below rely on."""
    page = tmp_path / "bad.html"
    page.write_text("<p><script>console.error('x'); nothing.at.all</script>", encoding="utf-8")
    browser.open(page)
    kinds = {event["method"] for event in browser.complaints()}
    assert kinds == {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
    page.write_text("<p style='width: 900px'>wide", encoding="utf-8")
    browser.open(page, width=360)
    assert browser.ask("document.documentElement.scrollWidth") > 360


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_opens_without_a_word_and_fits(browser, path, width, dark):
    browser.open(path, width=width, dark=dark)
    assert browser.complaints() == []
    assert browser.ask("document.documentElement.scrollWidth") <= width
    assert browser.ask("performance.getEntriesByType('resource').length") == 0


def test_a_table_that_goes_on_says_so(browser, path):
    said = "getComputedStyle(document.querySelector('#gains .scroll'), '::before').content"
    browser.open(path, width=360)
    assert "Scroll sideways" in browser.ask(said)
    browser.open(path, width=1280)
    assert browser.ask(said) == "none"


def test_a_click_sorts_a_table_and_another_turns_it_round(browser, path):
    browser.open(path)
    table = "document.querySelector('#resources table.heat:not(.kinds)')"
    gains = f"Array.from({table}.tBodies[0].rows).map(row => Number(row.cells[5].dataset.sort))"
    before = browser.ask(gains)
    assert before != sorted(before)
    button = f"{table}.querySelectorAll('thead button')[5]"
    browser.ask(f"{button}.click()")
    assert browser.ask(gains) == sorted(before)
    assert browser.ask(f"{button}.closest('th').getAttribute('aria-sort')") == "ascending"
    browser.ask(f"{button}.focus()")
    browser.press("Enter", 13)
    assert browser.ask(gains) == sorted(before, reverse=True)
    assert browser.ask(f"{button}.closest('th').getAttribute('aria-sort')") == "descending"
    assert browser.complaints() == []


def test_numbers_with_thousands_sort_as_numbers(browser, tmp_path):
    runs = make_runs(tmp_path, examples=20, languages=("en", "sw", "te"), effects={"a": 1.0})
    path = tmp_path / "report.html"
    data = analyse("sizes", "", runs, {}, resamples=20)
    render(data, path)
    text = path.read_text(encoding="utf-8")
    for size in ("1,200", "900"):
        text = text.replace('<td class="dim wide">20</td>', f'<td class="dim wide">{size}</td>', 1)
    path.write_text(text, encoding="utf-8")
    browser.open(path)
    table = "document.querySelector('#languages table.heat')"
    browser.ask(f"{table}.querySelectorAll('thead button')[2].click()")
    found = browser.ask(f"Array.from({table}.tBodies[0].rows).map(row => row.cells[2].textContent)")
    assert found == ["20", "900", "1,200"]


def test_filters_hide_languages_everywhere_and_show_them_again(browser, path):
    browser.open(path)
    tables, dots = "#languages table.heat tbody tr", "#resources svg.scatter circle"
    rows = browser.ask(SHOWN % tables)
    of_low = "#resources svg.scatter g[data-resources=low] circle"
    drawn = browser.ask(SHOWN % of_low)
    assert 0 < drawn < browser.ask(SHOWN % dots)
    height = browser.ask("document.querySelector('#languages svg.heatmap').clientHeight")
    assert browser.ask(CHOOSE % ("resources", "low")) == "low"
    assert browser.ask("document.querySelector('#filter output').textContent") == (
        f"{len(LOW)} of {len(LANGUAGES)} languages"
    )
    assert browser.ask(SHOWN % "#resources table.heat:not(.kinds) tbody tr") == len(LOW)
    assert browser.ask(SHOWN % "#languages svg.heatmap g.row") == len(LOW)
    assert browser.ask(SHOWN % dots) == browser.ask(SHOWN % of_low) == drawn
    assert browser.ask("document.querySelector('#languages svg.heatmap').clientHeight") < height
    browser.ask("document.querySelector('#filter button').click()")
    assert browser.ask("new Promise(done => setTimeout(() => done(true), 50))")
    assert browser.ask(SHOWN % tables) == rows


@pytest.mark.parametrize(
    ("menu", "value", "expected"),
    [
        ("family", "Uralic", {"fi"}),
        ("script", "Cyrl", {"ru"}),
        ("seen", "seen:1", {"ar", "de", "hi", "ru", "zh"}),
        ("seen", "unseen:1", set(LANGUAGES) - {"ar", "de", "hi", "ru", "zh"}),
    ],
)
def test_each_filter_knows_its_languages(browser, path, menu, value, expected):
    browser.open(path)
    assert browser.ask(CHOOSE % (menu, value)) == value
    shown = browser.ask(CODES.replace("tbody tr", "tbody tr:not(.off)"))
    assert set(shown.split()) == expected


def test_menus_are_reached_and_named_by_keyboard(browser, path):
    browser.open(path)
    names = """Array.from(document.querySelectorAll('#filter select')).map(
        menu => menu.labels[0].firstChild.textContent.trim() + ' ' + menu.tabIndex)"""
    assert browser.ask(names) == ["Resources 0", "Family 0", "Script 0", "Intermediate data 0"]
    browser.press("Tab", 9)
    assert browser.ask("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        browser.press("Tab", 9)
        reached.add(browser.ask("document.activeElement.name || document.activeElement.tagName"))
    assert {"resources", "family", "script", "seen", "A", "BUTTON", "DIV"} <= reached


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_contrast(browser, path, dark):
    """At least 4.5 (WCAG 2.1, 1.4.3), as computed by the browser with all layers behind it."""
    browser.open(path, dark=dark)
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
    assert browser.ask(CONTRASTS) >= 4.5


def test_without_scripts_nothing_is_missing(browser, path):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(path)
        tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    assert "combobox" not in roles
    assert roles.count("table") >= 12
    assert roles.count("heading") >= 12


def test_printing_opens_everything_and_leaves_out_what_paper_cannot_do(browser, path):
    browser.open(path)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.ask(SHOWN % "nav") == 0
    assert browser.ask(SHOWN % "#filter") == 0
    overflow = """Array.from(document.querySelectorAll('.scroll')).filter(
        item => getComputedStyle(item).overflow !== 'visible').length"""
    assert browser.ask(overflow) == 0
    pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"])
    assert pdf.startswith(b"%PDF")
    assert browser.ask("Array.from(document.querySelectorAll('details')).every(d => d.open)")

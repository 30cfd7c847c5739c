"""The language table: codes, aliases, resource classes."""

import json
import subprocess
import sys
import typing
from collections import Counter

import pytest

from midway import languages

XTREME = "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru"
XTREME += " sw ta te th tl tr ur vi yo zh"
XTREME_R = "az gu ht lt pa pl qu ro uk wo"
TATOEBA = """afr ang ara arq arz ast awa aze bel ber bos bul cat cbk ceb ces cha cmn cor csb dan deu
dsb dtp ell epo est fao fin fra fry gla gle glg gsw heb hin hrv hsb hun hye ido ile ina ind isl ita
jpn kab khm kor kur kzj lat lfn lit lvs mar max mhr mkd nds nld nno nob nov oci orv pam pes pms pol
por ron rus slk slv spa sqi srp swe swg tam tat tha tuk tur tzl uig ukr uzb vie war wuu yid yue
zsm"""
AFRICAN = "bam bbj bem ewe fon hau ibo kin lug mos nya pcm sna swa tsn twi wol xho yor zul amh ary"
AFRICAN += " orm por tir tso"
AMERICAN = "aym bzd cni gn hch nah oto quy shp tar"
TREEBANKS = "azz bho br bxr ceb cy fo ga gd gun ha hsb hy kmr kpv ky mt myv pcm quc sah si sme sq"
TREEBANKS += " tt ug xav be am"
DJANGO = """ar_DZ de_CH en_AU en_CA en_GB en_IE es_AR es_CO es_MX es_NI es_PR es_VE fr_BE fr_CA
fr_CH pt_BR sr_Latn zh_Hans zh_Hant ast ckb dsb eo fy ia io kab lb nb nn os tg tk udm ne mn"""
POOR = "sw te yo qu mr my jv ml wo gu ht am az quy arq hi_Latn"
RICH = "en de fi ko ru ar zh tr hi bn ta id th et tl kk no pt-br"
MADE_UP_CODES = ["xx", "", "english", "q", "afr_Cyrl"]


def test_there_are_enough_varieties():
    assert len(languages.languages()) >= 230


@pytest.mark.parametrize("codes", [XTREME, XTREME_R, TATOEBA, AFRICAN, AMERICAN, TREEBANKS, DJANGO])
def test_every_code_in_use_is_known(codes):
    assert [code for code in codes.split() if languages.lookup(code) is None] == []


@pytest.mark.parametrize("code", MADE_UP_CODES)
def test_other_codes_are_not_known(code):
    assert languages.lookup(code) is None
    assert languages.is_low_resource(code) is None
    assert languages.resource_class(code) is None
    assert languages.name(code) == code


def test_no_alias_and_no_code_is_claimed_twice():
    aliases = Counter(a for language in languages.languages() for a in language.aliases)
    assert [alias for alias, count in aliases.items() if count > 1] == []
    codes = [language.code for language in languages.languages()]
    assert codes == sorted(set(codes))


def test_codes_are_their_own_aliases_and_consistent():
    for language in languages.languages():
        assert languages.lookup(language.code) is language
        assert language.code.split("_")[:2] == [language.iso639_3, language.script]
        assert all(alias == alias.lower() and "_" not in alias for alias in language.aliases)


def test_every_fact_has_its_type():
    hints = typing.get_type_hints(languages.Language)
    for language in languages.languages():
        for field, hint in hints.items():
            allowed = tuple(typing.get_origin(t) or t for t in typing.get_args(hint) or (hint,))
            if field == "aliases":
                allowed = (tuple,)
            value = getattr(language, field)
            assert isinstance(value, allowed), (language.code, field, value)
            assert not isinstance(value, bool) or hint is bool
        assert language.joshi_class in (None, 0, 1, 2, 3, 4, 5)
        assert (language.cc100_gib is None) == (language.cc100_tokens_millions is None)
        assert language.in_xlmr == (language.cc100_gib is not None)
        assert len(language.glottocode) == 8


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("sw swa swh swh_Latn SW swa-latn", ("swh_Latn", "Swahili", "Atlantic-Congo", 2)),
        ("te tel tel_Telu", ("tel_Telu", "Telugu", "Dravidian", 1)),
        ("yo yor yor_Latn", ("yor_Latn", "Yoruba", "Atlantic-Congo", 2)),
        ("qu que quy quy_Latn", ("quy_Latn", "Ayacucho Quechua", "Quechuan", 1)),
        ("zh zho cmn zh-Hans zho_Hans", ("cmn_Hans", "Chinese (Simplified)", "Sino-Tibetan", 5)),
        ("zh_Hant zho_Hant zh-TW", ("cmn_Hant", "Chinese (Traditional)", "Sino-Tibetan", 5)),
        ("tl tgl fil tgl_Latn", ("tgl_Latn", "Tagalog", "Austronesian", 3)),
        ("no nb nob nor", ("nob_Latn", "Norwegian Bokmål", "Indo-European", 1)),
        ("nn nno", ("nno_Latn", "Norwegian Nynorsk", "Indo-European", 1)),
        ("sr srp srp_Cyrl", ("srp_Cyrl", "Serbian", "Indo-European", 4)),
        ("sr_Latn sr-latn srp_Latn", ("srp_Latn", "Serbian (Latin script)", "Indo-European", 4)),
        ("ar ara arb", ("arb_Arab", "Arabic", "Afro-Asiatic", 5)),
        ("et est ekk est_Latn", ("ekk_Latn", "Estonian", "Uralic", 3)),
        ("eu eus", ("eus_Latn", "Basque", "isolate", 4)),
        ("sq sqi als als_Latn", ("als_Latn", "Albanian", "Indo-European", 1)),
        ("ko kor", ("kor_Hang", "Korean", "Koreanic", 4)),
    ],
)
def test_facts_checked_by_hand(codes, expected):
    for code in codes.split():
        found = languages.lookup(code)
        assert found is not None
        assert (found.code, found.name, found.family, found.joshi_class) == expected


def test_pretraining_text():
    english, yoruba, telugu = (languages.lookup(code) for code in ("en", "yo", "te"))
    assert (english.cc100_gib, english.in_xlmr, english.in_mbert) == (300.8, True, True)
    assert (yoruba.cc100_gib, yoruba.in_xlmr, yoruba.in_mbert) == (None, False, True)
    assert (telugu.cc100_gib, telugu.wikipedia_articles) == (4.7, 69706)
    assert languages.lookup("my").cc100_gib == 2.0  # two rows, added up
    assert languages.lookup("gsw").wikipedia_articles == 27373  # Wikipedia calls it als
    assert languages.lookup("hi_Latn").cc100_gib == 0.5
    in_mbert = {lang.iso639_3 for lang in languages.languages() if lang.in_mbert}
    assert len(in_mbert) == 103  # the published list has 104: it counts Chinese twice
    assert {"mon", "khk"} & in_mbert


@pytest.mark.parametrize("code", POOR.split())
def test_low_resource(code):
    assert languages.is_low_resource(code) is True


@pytest.mark.parametrize("code", RICH.split())
def test_not_low_resource(code):
    assert languages.is_low_resource(code) is False


def test_resource_class():
    assert [languages.resource_class(code) for code in ("en", "fin", "tur", "bn", "sw", "te")] == [
        *(5, 4, 4, 3, 2, 1)
    ]


@pytest.mark.parametrize(
    ("requested", "known", "expected"),
    [
        ("af", ["afr", "ara"], "afr"),
        ("swh", ["en", "sw"], "sw"),
        ("zho_Hans", ["zh"], "zh"),
        ("zh-hant", ["zh"], None),
        ("es", ["es", "es-ar"], "es"),
        ("spa", ["es-ar", "es"], "es"),
        ("pt", ["pt-br"], "pt-br"),
        ("spa", ["es-ar", "es-mx"], None),
        ("sr-latn", ["sr"], None),
        ("fr", ["en"], None),
        ("no-such", ["en"], None),
        ("made-up", ["made-up"], "made-up"),
    ],
)
def test_resolve(requested, known, expected):
    assert languages.resolve(requested, known) == expected


def test_all_of_a_tasks_codes_resolve_to_themselves():
    known = TATOEBA.split()
    assert [languages.resolve(code, known) for code in known] == known
    varieties = [languages.lookup(code) for code in known]
    assert len(set(varieties)) == len(known)


@pytest.mark.parametrize(
    ("first", "second", "kilometres"),
    [
        ((51.5074, -0.1278), (48.8566, 2.3522), 343.6),  # London, Paris
        ((40.7128, -74.0060), (51.5074, -0.1278), 5570.2),  # New York, London
        ((-33.8688, 151.2093), (34.0522, -118.2437), 12073.0),  # Sydney, Los Angeles: the date line
        ((90.0, 0.0), (-90.0, 123.0), 20015.1),  # half a circumference
        ((0.0, 179.5), (0.0, -179.5), 111.2),  # a degree of the equator
        ((10.0, 20.0), (10.0, 20.0), 0.0),
    ],
)
def test_known_distances(first, second, kilometres):
    assert languages.great_circle(first, second) == pytest.approx(kilometres, rel=1e-3, abs=0.1)
    assert languages.great_circle(second, first) == languages.great_circle(first, second)


def test_distances_of_languages():
    swahili = languages.lookup("sw")
    assert (swahili.latitude, swahili.longitude) == (-8.25605, 37.624)
    assert languages.distance("sw", "ar") == pytest.approx(4083, abs=1)
    assert languages.distance("sr", "sr-latn") == 0.0
    assert languages.distance("ido", "sw") is languages.distance("sw", "ido") is None
    assert languages.distance("sw", "no-such") is None
    placed = [lang for lang in languages.languages() if lang.latitude is not None]
    assert len(languages.languages()) - len(placed) == 7  # constructed languages
    assert all(abs(lang.latitude) <= 90 and abs(lang.longitude) <= 180 for lang in placed)


def test_distance_in_syntax():
    assert languages.syntactic_distance("en", "en") == pytest.approx(0)
    assert languages.syntactic_distance("en", "de") < languages.syntactic_distance("en", "sw")
    assert languages.syntactic_distance("sw", "te") == languages.syntactic_distance("te", "sw")
    assert languages.syntactic_distance("sw", "no-such") is None
    for language in languages.languages():
        assert set(language.syntax) == {"0", "1"}
        assert len(language.syntax) == 103 >= language.syntax_documented >= 0


def test_loading_is_lazy_and_light():
    code = """
import sys, time
import midway.languages as languages
assert not languages.languages.cache_info().currsize
start = time.perf_counter()
languages.lookup("sw")
seconds = time.perf_counter() - start
assert not {"torch", "transformers", "numpy", "pyarrow"} & set(sys.modules)
print(seconds)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert float(result.stdout) < 0.2  # measured: 0.02


def test_sources_are_credited():
    header = json.loads(languages.TABLE.read_text(encoding="utf-8"))["sources"]
    credited = {field for fields in header for field in fields.split(", ")}
    assert {
        "family",
        "joshi_class",
        "cc100_gib",
        "wikipedia_articles",
        "genus",
        "latitude",
        "syntax",
    } <= credited

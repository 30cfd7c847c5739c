"""Sentences with their English, parallel in all languages: FLORES-200, and SIB-200 read so.

1. FLORES-200 has a file per variety, in which line i is sentence i: id and document are the line's
   number from 0, the same in every variety.
2. SIB-200 labels 1,004 of FLORES-200's sentences, in three files per variety, and numbers them by
   ``index_id``, which is id and document here.
3. A cell of SIB-200 that holds quotation marks stands in quotation marks, with those inside it
   doubled, as a CSV writer does it. That is undone, once, and counted.
"""

from collections.abc import Sequence
from pathlib import Path

from midway.errors import DataError
from midway.tasks.examples import Reading, SentencePair
from midway.tasks.sources import read_lines
from midway.tasks.tables import named_tab_rows

BLANK = "blank sentence"
ALONE = "sentence without an English one"
UNQUOTED = "row with its CSV quoting undone"

# All but English.
FLORES_200 = tuple(
    (
        "ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi "
        "apc_Arab arb_Arab arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn "
        "azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab "
        "bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab "
        "crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek epo_Latn est_Latn "
        "eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gaz_Latn "
        "gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva "
        "hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan "
        "kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn "
        "khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn "
        "kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn "
        "lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Arab min_Latn "
        "mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva "
        "nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab "
        "plt_Latn pol_Latn por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva "
        "sat_Olck scn_Latn shn_Mymr sin_Sinh slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn "
        "sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn szl_Latn tam_Taml "
        "taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi tpi_Latn tsn_Latn "
        "tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab "
        "uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans "
        "zho_Hant zsm_Latn zul_Latn"
    ).split()
)


def read_flores(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read the sentence pairs of one variety, in file order.

    Args:
        files: the variety's file and the English one.
        split: named in messages only.
        language: FLORES-200's code, given to every pair.

    Returns:
        Pairs with ids ``<line from 0>``; pairs with a blank side are counted.

    Raises:
        DataError: a side is missing, or the sides differ in length.
    """
    if len(files) != 2:
        names = ", ".join(map(str, files)) or "nothing"
        raise DataError(
            f"{names}: expected two files for {language} {split}, the other being that of eng_Latn"
        )
    left, right = (read_lines(path) for path in files)
    if len(left) != len(right):
        raise DataError(
            f"{files[0]}: {len(left)} lines, but {files[1].name} has {len(right)}; line i of both "
            "must be one sentence, fetch both again"
        )
    reading = Reading([])
    for number, (sentence, english) in enumerate(zip(left, right, strict=True)):
        _add(reading, language, str(number), sentence, english)
    return _some(reading, files)


def read_sib_pairs(files: tuple[Path, ...], split: str, language: str) -> Reading:
    """Read SIB-200's sentences of one variety with their English.

    Args:
        files: train, dev and test of the variety, then those of English.
        split: named in messages only.
        language: SIB-200's code, given to every pair.

    Returns:
        Pairs with ids ``<index_id>``, in the order of the variety's files; sentences without an
        English one are counted.

    Raises:
        DataError: a file is missing or damaged, or an index_id occurs twice.
    """
    half = len(files) // 2
    if not half or len(files) % 2:
        names = ", ".join(map(str, files)) or "nothing"
        raise DataError(
            f"{names}: expected as many files of {language} as of eng_Latn for {split}"
        )
    reading = Reading([])
    foreign = _indexed(files[:half], reading)
    english = _indexed(files[half:], Reading([]))  # counted once, with the variety's own rows
    for identity, sentence in foreign.items():
        if identity in english:
            _add(reading, language, identity, sentence, english[identity])
        else:
            reading.dropped[ALONE] += 1
    return _some(reading, files)


def _indexed(files: Sequence[Path], reading: Reading) -> dict[str, str]:
    """Return index_id → sentence; counts the rows that are unquoted."""
    sentences: dict[str, str] = {}
    for path in files:
        for number, row in named_tab_rows(path, ("index_id", "text")):
            identity, text = row["index_id"], row["text"]
            if not identity.strip():
                raise DataError(f"{path}:{number}: index_id is blank, expected a number")
            if identity in sentences:
                raise DataError(
                    f"{path}:{number}: index_id {identity!r:.20} occurs twice; get the three "
                    "files from one release"
                )
            if len(text) > 1 and text[0] == text[-1] == '"' and '""' in text[1:-1]:
                text = text[1:-1].replace('""', '"')
                reading.repaired[UNQUOTED] += 1
            sentences[identity] = text
    return sentences


def _add(reading: Reading, language: str, identity: str, sentence: str, english: str) -> None:
    if not sentence.strip() or not english.strip():
        reading.dropped[BLANK] += 1
        return
    reading.examples.append(
        SentencePair(
            id=identity,
            language=language,
            document=identity,
            sentence=sentence,
            english=english,
        )
    )


def _some(reading: Reading, files: Sequence[Path]) -> Reading:
    if not reading.examples:
        raise DataError(f"{files[0]}: no sentences with an English one, expected one a line")
    return reading

"""SIB-200: the topic of a sentence, in 205 language varieties."""

from pathlib import Path

from midway.tasks.card import SPLITS, DataFolders, HubSource, TaskCard
from midway.tasks.hub.to_labelled import sib200
from midway.tasks.readers.single_texts import TOPICS, read_sib200
from midway.tasks.sources import find_first

_FILES = {"train": "train", "validation": "dev", "test": "test"}
_LANGUAGES = (
    "ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi "
    "apc_Arab arb_Arab arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn "
    "azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab "
    "bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab "
    "crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn "
    "est_Latn eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn "
    "gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva "
    "hne_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn "
    "jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn "
    "kea_Latn khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kmr_Latn knc_Arab knc_Latn "
    "kon_Latn kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn "
    "lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Arab "
    "min_Latn mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn "
    "npi_Deva nqo_Nkoo nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn "
    "pbt_Arab pes_Arab plt_Latn pol_Latn por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl "
    "sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh slk_Latn slv_Latn smo_Latn sna_Latn "
    "snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn "
    "szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi "
    "tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl "
    "umb_Latn urd_Arab uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn "
    "yue_Hant zho_Hans zho_Hant zsm_Latn zul_Latn"
)


def _find(folders: DataFolders, split: str, language: str) -> tuple[Path, ...]:
    if split not in _FILES or language not in CARD.languages:
        return ()
    name = f"{language}/{_FILES[split]}.tsv"
    return find_first(folders, f"sib200/{name}", f"sib-200/data/annotated/{name}")


CARD = TaskCard(
    name="sib200",
    title="SIB-200 topic classification",
    family="classification",
    roles=("intermediate", "target"),
    languages=tuple(_LANGUAGES.split()),
    splits=("train", "validation", "test"),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="Apache 2.0 (sentences: FLORES-200, CC BY-SA 4.0)",
    citation=(
        "Adelani, Liu, Shen, Vassilyev, Alabi, Mao, Gao and Lee (2024). SIB-200: A Simple, "
        "Inclusive, and Big Evaluation Dataset for Topic Classification in 200+ Languages and "
        "Dialects. EACL. arXiv:2309.07445"
    ),
    homepage="https://github.com/dadelani/sib-200",
    summary=(
        "1,004 sentences of FLORES-200, each with one of seven topics, in 205 language varieties: "
        "701 for training, 99 for validation and 204 for test, the same sentences in each. No "
        "other labelled task reaches as many languages, so it shows where transfer ends."
    ),
    notes=(
        "Parallel by index_id, which is id and document: folds agree in all varieties.",
        "Topics were given to the English sentences and hold for all translations.",
        "Training on several varieties repeats the same 701 sentences, not new ones.",
        "Sentences are those of FLORES-200: mind it when that is used too.",
        "With 204 test sentences, one sentence is half a point of accuracy.",
        "Files write sentences with quotation marks as a CSV writer does; this is undone and "
        "counted. In some varieties FLORES-200 itself has a second layer, which stays.",
    ),
    labels=TOPICS,
    find=_find,
    read=read_sib200,
    hub=HubSource("Davlan/sib200", "{code}", SPLITS, tuple(_LANGUAGES.split()), sib200),
)

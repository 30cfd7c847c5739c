"""Django messages: human translations that come with an installed package, in 91 languages."""

from midway.tasks.card import TaskCard
from midway.tasks.readers.django_catalogue import find_catalogues, read_catalogues

# At least 20 usable messages in Django 5.2.
_LANGUAGES = (
    "af ar ar-dz ast az be bg bn br bs ca ckb cs cy da de dsb el eo es es-ar es-co es-mx es-ve et "
    "eu fa fi fr ga gd gl he hi hr hsb hu hy ia id ig io is it ja ka kk km kn ko ky lt lv mk ml "
    "mn mr ms nb ne nl nn os pa pl pt pt-br ro ru sk sl sq sr sr-latn sv sw ta te tg th tk tr tt "
    "udm ug uk ur uz vi zh-hans zh-hant"
)

CARD = TaskCard(
    name="django-messages",
    title="Django message retrieval",
    family="retrieval",
    roles=("target",),
    languages=tuple(_LANGUAGES.split()),
    splits=("test",),
    evaluation_split="test",
    metrics=("accuracy",),
    licence="BSD 3-Clause",
    citation="The Django translation teams. Django, message catalogues. djangoproject.com",
    homepage="https://www.djangoproject.com",
    summary=(
        "Django's wheel carries the texts of its forms, admin pages and errors, translated by "
        "volunteers. The whole messages of four words or more, without placeholders or plural "
        "forms, make a retrieval set of real text over rich and poor languages (Kyrgyz, Uyghur, "
        "Tajik, both Sorbians, Swahili, Nepali, Welsh, Udmurt) that needs no download: up to 147 "
        "English messages, the same ones in every language as far as they are translated."
    ),
    notes=(
        "Needs the extra `offline`; without Django the task has no files.",
        "Numbers change with Django's version; the catalogues' digests are part of every result. "
        "The language list is that of Django 5.2.",
        "Sizes differ from 25 to 147 pairs; accuracy on few candidates is easier.",
        "One domain, formulaic and in part very similar sentences; do not compare the score with "
        "that of Tatoeba.",
        "English varieties (en-au, en-gb) are left out, and so are translations that equal the "
        "English. Regional variants (pt, pt-br; es, es-ar) are near copies of each other: count "
        "them once when languages are averaged.",
        "my, lb, kab and fy have fewer than 20 usable messages and are left out.",
    ),
    find=find_catalogues,
    read=read_catalogues,
)

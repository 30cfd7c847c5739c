"""Files of one language are told apart by as little of their paths as will do."""

from pathlib import Path

from midway.tasks.sources import short_names


def test_names_do_not_depend_on_the_folder():
    here = [Path("/a/ud/UD_X/x.conllu"), Path("/a/ud/UD_Y/y.conllu")]
    there = [Path("/elsewhere/ud/UD_X/x.conllu"), Path("/elsewhere/ud/UD_Y/y.conllu")]
    assert list(short_names(here)) == list(short_names(there)) == ["x.conllu", "y.conllu"]


def test_equal_file_names_get_as_many_folders_as_tell_them_apart():
    paths = [Path("/d/conf/locale/af/django.po"), Path("/d/admin/locale/af/django.po")]
    named = short_names(paths)
    assert named == {"conf/locale/af/django.po": paths[0], "admin/locale/af/django.po": paths[1]}


def test_no_files_have_no_names():
    assert short_names([]) == {}

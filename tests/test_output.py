"""Files that a user asked for are whole, or as they were."""

import os
import stat

import pytest

from benchmark.basics import output
from benchmark.basics.errors import CorruptFile, InputError
from benchmark.basics.files import read_record, read_tensors
from benchmark.report.figures import save_picture_grid
from benchmark.report.page import write_report
from benchmark.results.gallery import Shown, encode_picture
from tests.test_gallery import png
from tests.test_score_command import clean, half, nothing


def test_what_is_there_is_replaced_as_a_whole_or_stays(tmp_path, monkeypatch):
    file = tmp_path / "new" / "file"
    output.write_output(file, b"first")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"cannot write the thing .*No space left"):
            output.write_output(file, b"second", "the thing")
    assert file.read_bytes() == b"first"
    assert [path.name for path in file.parent.iterdir()] == ["file"]
    output.write_output(file, b"second")
    assert file.read_bytes() == b"second"


def test_a_link_stays_one_and_a_pipe_is_written_to(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("target")
    output.write_output(link, b"here")
    assert (link.is_symlink(), (tmp_path / "target").read_bytes()) == (True, b"here")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    output.check_output(pipe)  # nobody reads it yet
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    output.write_output(pipe, b"there")
    assert os.read(reader, 100) == b"there"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


def test_to_look_whether_a_file_can_be_written_changes_nothing(tmp_path):
    file = tmp_path / "folder" / "file"
    output.check_output(file)
    assert list(file.parent.iterdir()) == []
    file.write_bytes(b"content")
    output.check_output(file)
    assert file.read_bytes() == b"content"
    with pytest.raises(InputError, match=r"cannot write the figure .*folder"):
        output.check_output(file.parent, "the figure")


def test_a_report_that_cannot_be_finished_leaves_the_one_before(tmp_path, monkeypatch):
    given = {}
    for some in (nothing(), clean(), half()):
        given[tmp_path / f"{some.method.name}.json"] = some
    page = write_report(given, tmp_path / "report")
    before = page.read_bytes()

    def interrupted(*a: object, **k: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.report.page.draw_panels", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(given, tmp_path / "report")
    assert page.read_bytes() == before


def test_figures_do_not_depend_on_the_users_settings_of_matplotlib(tmp_path):
    import matplotlib

    shown = Shown(seed=0, generations=[0, 1], png=encode_picture(png(), 2))
    save_picture_grid({"m_1": shown}, tmp_path / "plain.png", "title")
    with matplotlib.rc_context({"text.usetex": True, "font.size": 20, "figure.facecolor": "red"}):
        save_picture_grid({"m_1": shown}, tmp_path / "theirs.png", "title")
        assert matplotlib.rcParams["font.size"] == 20
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "theirs.png").read_bytes()


@pytest.mark.parametrize("read", [read_record, read_tensors])
def test_a_pipe_in_place_of_a_stored_file_is_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "gen-00.json")
    with pytest.raises(CorruptFile, match=r"gen-00\.json cannot be used .*not an ordinary file"):
        read(tmp_path / "gen-00.json")

"""Files are whole or not there, and what a killed writer leaves behind is in nobody's way."""

import subprocess
import sys
from pathlib import Path

import pytest

from wenhuo.files import read_json, whole, write_json, write_text

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from wenhuo.files import whole
with whole(Path(sys.argv[1])) as made:
    made.mkdir()
    (made / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    write_text(tmp_path / "x", "old")
    with pytest.raises(ZeroDivisionError), whole(tmp_path / "x") as made:
        made.write_text("new")
        raise ZeroDivisionError
    assert (tmp_path / "x").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_files_and_folders_are_replaced(tmp_path):
    for content in ("old", "new"):
        with whole(tmp_path / "folder") as made:
            made.mkdir()
            (made / content).write_text(content)
        write_json(tmp_path / "deep" / "x.json", {"值": content})
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["new"]
    assert read_json(tmp_path / "deep" / "x.json") == {"值": "new"}


def test_what_a_killed_writer_leaves_is_no_part_of_a_dependency(tmp_path):
    """`evaluate` depends on the folder that models are written to."""
    from dvc.repo import Repo

    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    Repo.init(str(tmp_path)).close()
    (tmp_path / ".dvcignore").write_bytes((ROOT / ".dvcignore").read_bytes())
    target = tmp_path / "models" / "mini"
    command = [sys.executable, "-c", KILLED, str(target)]
    assert subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, check=False).returncode == -9
    [left] = (tmp_path / "models").iterdir()
    assert list(left.rglob("half"))
    with Repo(str(tmp_path)) as repo:
        assert list(repo.dvcignore.find(repo.fs, str(tmp_path / "models"))) == []

"""What ``python -m flows.lint`` finds in prefect.yaml, which Prefect itself passes over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.lint import check_deployments
from wenhuo.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    shutil.copy(REPOSITORY / "flows" / "retrain.py", tmp_path / "flows")
    shutil.copy(REPOSITORY / "prefect.yaml", tmp_path)
    return tmp_path


def test_the_shipped_file_is_right() -> None:
    assert check_deployments(REPOSITORY) == ["retrain"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("deployments:", "deployment:", "deployment: unknown key (did you mean deployments?)"),
        ("concurrency_limit:", "concurency_limit:", "deployments[0].concurency_limit: unknown key"),
        ("collision_strategy:", "colision_strategy:", "concurrency_limit.colision_strategy: unknown key"),
        ("timezone:", "time_zone:", "deployments[0].schedules[0].time_zone: unknown key (did you mean timezone?)"),
        ("work_pool:\n      name:", "work_pool:\n      pool:", "deployments[0].work_pool.pool: unknown key"),
        ("0 3 * * *", "0 3 * *", "deployments[0].schedules[0]: "),
        ("Asia/Shanghai", "Asia/Peking", "deployments[0].schedules[0]: "),
        ("retrain.py:retrain", "retrain.py:train", "has no function 'train'"),
        ("flows/retrain.py:", "flows/train.py:", "there is no file flows/train.py"),
        ("jobs: 2", "workers: 2", "parameters.workers: retrain has no such parameter"),
    ],
)
def test_a_mistake_is_found_and_named(project: Path, right: str, wrong: str, said: str) -> None:
    file = project / "prefect.yaml"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        check_deployments(project)
    assert said in raised.value.what


def test_all_mistakes_are_named_together(project: Path) -> None:
    file = project / "prefect.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("timezone:", "zone:").replace("jobs:", "job:"), encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        check_deployments(project)
    assert len(raised.value.what.splitlines()) == 3

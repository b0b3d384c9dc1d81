"""How processes are counted and started; what they do together is in test_processes.py."""

import subprocess
import sys

import pytest

from wenhuo.errors import SettingsError
from wenhuo.training import launching

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


@pytest.fixture
def gpus(monkeypatch):
    def found(number):
        monkeypatch.setattr("torch.cuda.device_count", lambda: number)

    return found


def test_auto_is_every_gpu_and_one_on_a_cpu(gpus):
    for number, processes in ((0, 1), (1, 1), (4, 4)):
        gpus(number)
        assert launching._count("auto") == processes


def test_a_number_is_that_many_unless_there_are_fewer_gpus(gpus):
    gpus(0)
    assert launching._count(3) == 3
    gpus(2)
    assert launching._count(1) == 1
    with pytest.raises(SettingsError, match=r"train\.devices is 3, but this machine has 2 GPUs"):
        launching._count(3)
    with pytest.raises(SettingsError, match=r"pretrain\.devices is 3"):
        launching._count(3, "pretrain")


@pytest.mark.parametrize(
    ("launcher", "words"),
    [
        ("torchrun", [*TORCHRUN, "--standalone", "--nproc-per-node=2"]),
        ("torchrun --nproc_per_node 4", [*TORCHRUN, "--standalone", "--nproc_per_node", "4"]),
        ("torchrun --rdzv-endpoint a:1", [*TORCHRUN, "--nproc-per-node=2", "--rdzv-endpoint", "a:1"]),
        ("srun -N 2 'torch run'", ["srun", "-N", "2", "torch run"]),
    ],
)
def test_a_launcher_is_a_command(launcher, words):
    assert launching._command(launcher, 2) == words


@pytest.mark.parametrize(
    ("launcher", "said"), [("torchrun 'x", "cannot be read"), ("no-such-thing", "cannot be started")]
)
def test_a_launcher_that_cannot_be_is_a_clear_error(launcher, said):
    with pytest.raises(SettingsError, match=said):
        launching.run_in_processes(["this"], 2, launcher)


def test_processes_share_the_cores_unless_told_otherwise(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [launching._environment(processes)["OMP_NUM_THREADS"] for processes in (1, 3, 16)] == ["8", "2", "1"]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert launching._environment(2)["OMP_NUM_THREADS"] == "5"


def test_a_process_that_was_started_starts_no_more(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "1")
    assert not launching.run_in_processes(["this"], 2, "torchrun")
    assert launching.helps()


def test_starting_processes_imports_no_torch():
    command = [sys.executable, "-c", "import sys, wenhuo.training.launching; sys.exit('torch' in sys.modules)"]
    assert subprocess.run(command, check=False).returncode == 0


def test_one_that_a_signal_ended_is_named_before_those_that_failed_for_its_sake():
    ended = [
        subprocess.Popen([sys.executable, "-c", code]) for code in ("exit(1)", "import os; os.kill(os.getpid(), 9)", "")
    ]
    assert [process.wait() for process in ended] == [1, -9, 0]
    assert launching._failed(ended) == 1
    with pytest.raises(launching.ProcessError, match="process 2 of 3 was ended by SIGKILL"):
        launching._report(1, -9, 3, stopped=False)

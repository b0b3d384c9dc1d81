"""Decisions: chained, appended by many at once, and honest about a line that was cut, changed or taken out."""

import subprocess
import sys
from pathlib import Path

import pytest

from wenhuo.gate import decisions

ROOT = Path(__file__).resolve().parents[3]


def decide(reports, version, before=None, verdict="promoted", champion=None, **more):
    given = {"model": "m", "verdict": verdict, "reason": f"about {version}", "version": version, "before": before}
    return decisions.append(reports, given | {"champion": champion or version} | more)


@pytest.fixture
def reports(tmp_path):
    """Three versions, each promoted over the one before."""
    for version in (1, 2, 3):
        decide(tmp_path, version, version - 1 or None)
    return tmp_path


def lines(reports):
    return (reports / "decisions.jsonl").read_bytes().splitlines()


def test_a_chain_is_read_back_whole(reports):
    chain = decisions.read(reports)
    assert [d.version for d in chain.decisions] == [1, 2, 3]
    assert chain.broken == chain.torn == []
    assert [d.previous for d in chain.decisions] == [None, *(d.hash for d in chain.decisions[:2])]
    assert chain.last == chain.decisions[-1].hash
    assert decisions.read(reports / "nowhere").decisions == []


@pytest.mark.parametrize("fault", ["changed", "taken out", "put in", "swapped"])
def test_a_broken_chain_is_said_and_never_mended(reports, fault):
    whole = lines(reports)
    made = {
        "changed": [whole[0].replace(b"about 1", b"about 9"), *whole[1:]],
        "taken out": [whole[0], whole[2]],
        "put in": [whole[0], whole[0], *whole[1:]],
        "swapped": [whole[1], whole[0], whole[2]],
    }[fault]
    (reports / "decisions.jsonl").write_bytes(b"\n".join(made) + b"\n")
    assert "does not follow" in decisions.read(reports).broken[0]
    decide(reports, 4, 3)
    assert lines(reports)[: len(made)] == made, "what was there stays as it is"
    chain = decisions.read(reports)
    assert chain.decisions[-1].version == 4
    assert not any(f"line {len(made) + 1} " in said for said in chain.broken), "the new line follows from the last"


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_half_written_last_line_stays_and_is_sealed(reports, cut):
    path = reports / "decisions.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    torn = lines(reports)[-1]
    decide(reports, 4, 3)
    chain = decisions.read(reports)
    assert lines(reports)[2] == torn
    assert chain.broken == []
    assert len(chain.torn) == (cut > 1), "without its line feed alone the line is whole"
    assert chain.decisions[-1].version == 4


def test_ten_processes_write_ten_lines_of_one_chain(tmp_path):
    code = (
        "import sys; from pathlib import Path; from wenhuo.gate import decisions\n"
        "for i in range(5): decisions.append(Path(sys.argv[1]), dict(model='m', verdict='challenger', reason=str(i)))"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT) for _ in range(10)]
    assert [process.wait(120) for process in started] == [0] * 10
    chain = decisions.read(tmp_path)
    assert (len(chain.decisions), chain.broken, chain.torn) == (50, [], [])


def test_who_served_and_where_one_can_go_back_to(reports):
    decide(reports, 4, 3, verdict="challenger", champion=3)
    assert [d.champion for d in decisions.read(reports).serving("m")] == [1, 2, 3]
    assert decisions.read(reports).stack("m") == [1, 2, 3]
    decide(reports, 2, 3, verdict="rolled back")
    chain = decisions.read(reports)
    assert chain.stack("m") == [1, 2], "going back twice does not return to what was left"
    assert chain.taken_back("m", 3).version == 2
    assert chain.taken_back("m", 1) is None
    decide(reports, 3, 2, by="a person")
    assert decisions.read(reports).stack("m") == [1, 2, 3]
    assert decisions.read(reports).taken_back("m", 3) is None
    assert decisions.read(reports).champion("other") is None

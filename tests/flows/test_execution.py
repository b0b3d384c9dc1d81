"""Which stages run, without Prefect."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from toy_project import Toy

from flows.environment import child_environment
from flows.execution import Execution, Outcome, prepare, select
from wenhuo.errors import GraphError
from wenhuo.graph import Stage, stages


def carry_out(toy: Toy) -> dict[str, Outcome]:
    execution: Execution = prepare(toy.root, [], 1, child_environment("none"))
    return {name: execution.carry_out(stage, lambda _: None).outcome for name, stage in execution.graph.items()}


@pytest.fixture(scope="module")
def built(make_toy: Callable[[], Toy]) -> Toy:
    toy = make_toy()
    toy.dvc("repro")
    return toy


def test_new_data_with_the_same_corpus_stops_there(built: Toy) -> None:
    (built.root / "dvc.yaml").write_text(
        (built.root / "dvc.yaml").read_text(encoding="utf-8").replace("cat seen >", "sort -u seen >"), encoding="utf-8"
    )
    built.dvc("repro")
    built.ran()
    (built.root / "given").write_text("一\n一\n", encoding="utf-8")
    outcomes = carry_out(built)
    assert built.ran() == ["source", "ingest"]
    assert outcomes["source"] is Outcome.RUN
    assert outcomes["ingest"] is Outcome.SAME
    assert {outcomes[name] for name in ("train@a", "train@b", "side", "evaluate")} == {Outcome.CACHED}


def test_a_lost_output_comes_back_and_what_depends_on_it_stays(built: Toy) -> None:
    (built.root / "corpus").unlink()
    built.ran()
    outcomes = carry_out(built)
    assert outcomes["ingest"] is Outcome.SAME
    assert outcomes["train@a"] is outcomes["evaluate"] is Outcome.CACHED
    assert built.ran() == ["source"]  # the rest comes from DVC's run cache


def graph(**upstream: tuple[str, ...]) -> list[Stage]:
    return [Stage(name.replace("_", "@"), name.partition("_")[0], "", {}, ups) for name, ups in upstream.items()]


def test_select_takes_names_instances_and_their_upstream() -> None:
    found = graph(a=(), b=("a",), c_1=("b",), c_2=("b",), d=("c@1", "c@2"), e=())
    assert list(select(found, [])) == ["a", "b", "c@1", "c@2", "d", "e"]
    assert list(select(found, ["c"])) == ["a", "b", "c@1", "c@2"]
    assert list(select(found, ["c@2", "e"])) == ["a", "b", "c@2", "e"]
    with pytest.raises(GraphError, match="there is no stage c@3"):
        select(found, ["c@3"])


def test_the_toy_has_what_the_other_tests_rely_on(toy: Toy) -> None:
    assert [stage.addressing for stage in stages(toy.root)][:2] == ["source", "ingest"]

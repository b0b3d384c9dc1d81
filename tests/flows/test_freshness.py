"""Nothing to do is found out without Prefect, and nothing that has to be done is passed over."""

from collections.abc import Callable

from toy_project import Toy

from flows.freshness import up_to_date


def test_a_built_project_is_up_to_date_until_its_source_changes(make_toy: Callable[[], Toy]) -> None:
    toy = make_toy()
    assert not up_to_date(toy.root)
    assert toy.ran() == []
    toy.dvc("repro")
    toy.ran()
    assert up_to_date(toy.root)
    assert toy.ran() == ["source"]
    (toy.root / "given").write_text("二\n", encoding="utf-8")
    assert not up_to_date(toy.root)


def test_a_changed_parameter_or_a_missing_output_is_something_to_do(make_toy: Callable[[], Toy]) -> None:
    toy = make_toy()
    toy.dvc("repro")
    (toy.root / "measured").unlink()
    assert not up_to_date(toy.root)
    toy.dvc("checkout")
    assert up_to_date(toy.root)
    toy.set(nap=0.1)
    assert not up_to_date(toy.root)


def test_a_source_that_cannot_be_looked_at_is_the_flows_to_tell(make_toy: Callable[[], Toy]) -> None:
    toy = make_toy()
    toy.dvc("repro")
    (toy.root / "given").unlink()
    assert not up_to_date(toy.root)

"""What a card says, what it must not say, and that it says the same of the same."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.wenhuo.cards.conftest import CALIBRATION, DECISION, NAMES, RUN, TEXTS, material_of, without
from tests.wenhuo.cards.reading import Figures, markdown_tables
from wenhuo.cards.markdown import DESCRIPTION, render_description, render_markdown
from wenhuo.cards.options import CardWords
from wenhuo.cards.page import render_card
from wenhuo.cards.privacy import address, fit
from wenhuo.cards.rules import read_rules
from wenhuo.encoding.options import Tokens
from wenhuo.errors import SettingsError
from wenhuo.models.folder import Card


def forms(material) -> list[str]:
    """The three that a card has."""
    return [render_markdown(material), render_card(material), render_description(material, "the file `card/x.html`")]


def test_the_same_material_gives_the_same_bytes(card):
    assert forms(card) == forms(material_of(["差评", "好评"]))


def test_the_gates_verdict_with_every_check_and_the_champion_of_the_time(card):
    tables = markdown_tables(render_markdown(card))["What the gate decided"]
    assert [(row["Question"], row["passed"]) for row in tables[0][1]] == [("macro-F1", "yes"), ("latency", "no")]
    (beside,) = tables[1][1]
    assert beside["Macro-F1 beside"] == "the champion of the time"
    assert (beside["its own"], beside["the other's"]) == ("0.9100", "0.8800")
    assert "+0.0300 (+0.010 to +0.050)" in beside.values()
    for text in forms(card):
        assert "On 2026-11-20 it was made champion" in text
        assert "wenhuo history" in text, "it must not speak of who serves now"
    assert "The champion then was version 2, the candidate `old`" in render_markdown(card)


def test_without_a_decision_nothing_is_claimed(card):
    for text in forms(replace(card, verdict=None, champion=None)):
        assert "No decision of the gate" in text
        assert "made champion" not in text


@pytest.mark.parametrize("shown", [0, 3])
def test_no_text_is_shown_where_examples_is_0(card, shown):
    for text in forms(replace(card, shown=shown))[:2]:
        assert ("第" in text and "前台也热情，但是" in text) == bool(shown)
    assert "前台也热情，但是" not in forms(card)[2], "MLflow's database holds no text"


SECRETS = ("hunter2", "abc123", "/home/", "/work/", "/srv/", "li:")


def test_no_secret_and_no_folder_of_the_machine(card):
    source = "https://li:hunter2@data.example/set.csv?token=abc123&v=1"
    told = dict(card.summary) | {"source": source}
    reason = "version 2 stays champion: models:/x/2 cannot be fetched: no such file: '/srv/mlruns/artifacts/1/model'"
    verdict = DECISION.model_copy(
        update={"reason": reason, "checks": [{"name": "champion", "passed": False, "reason": reason}]}
    )
    tainted = replace(card, summary=told, verdict=verdict, run=RUN)
    for text in forms(tainted):
        assert not [secret for secret in SECRETS if secret in text]
        assert "data.example/set.csv" in text
    assert "`bert`" in render_markdown(tainted) or "| bert |" in render_markdown(tainted)
    local = replace(card, summary=told | {"source": "/work/private/reviews"})
    assert not [text for text in forms(local) if "/work" in text or "private" in text]


HOSTILE = ["<script>alert(1)</script>", "a|b*c_d", "`x`", "[l](javascript:1)", '"><img src=http://x/y>', "# h"]


def test_hostile_labels_are_only_shown(card):
    material = material_of(HOSTILE)
    text, page, description = forms(material)
    tables = markdown_tables(text)["Figures"][3][1]
    shown = [label.replace("`", "'") for label in HOSTILE]
    assert [row["Label"] for row in tables] == shown
    reader = Figures()
    reader.feed(page)
    assert not {"script", "img", "a", "link", "iframe"} & set(reader.tags)
    for written in (text, description):
        outside = "".join(written.split("`")[::2])
        assert "<script" not in outside
        assert "<img" not in outside
        assert "[l](" not in outside


@given(st.text(max_size=60))
def test_any_purpose_stays_on_its_line(purpose):
    from wenhuo.cards.content import Part, plain
    from wenhuo.cards.markdown import _part

    lines = _part(Part("purpose", "x", [plain(purpose)])).split("\n")
    assert len(lines) <= 3
    assert not any(line.startswith("<") for line in lines)


def test_a_persons_words_stand_first(card):
    words = CardWords(
        purpose="Sorts reviews of hotels; not for health.", limits="Not for children.", contact="Li <li@x>"
    )
    text = render_markdown(replace(card, words=words))
    assert text.index("Sorts reviews") < text.index("It gives a text one of 2 labels")
    assert "Not for children." in text
    assert "Contact: Li &lt;li@x&gt;" in text
    assert "Nobody has said" not in text


def test_synthetic_data_is_said_first_and_loudly(card):
    text, page, description = forms(card)
    for written in (text, description):
        assert "> **Synthetic data" in written.split("## What it is for")[1].split("##")[0]
    assert '<p class="loud">Synthetic data' in page
    real = dict(card.summary) | {"synthetic": False}
    assert not [one for one in forms(replace(card, summary=real)) if "ynthetic" in one.split("</style>")[-1]]


def test_a_blend_names_its_members_and_their_weights(card):
    members = {"linear": card.page.candidates["linear"].answers.card, "mini": card.card}
    weights = {"linear": 0.625, "mini": 0.5}
    blend = Card(kind="blend", labels=card.labels, cleaning={}, members=weights, trained_on={})
    summary = dict(card.summary) | {"calibration": {"mini": CALIBRATION | {"temperature": 1.0, "weights": weights}}}
    text = render_markdown(replace(card, card=blend, members=members, summary=summary, run={}))
    assert "A blend: the logarithms of its members' probabilities" in text
    assert "`linear`, weight 0.6250: A linear model on weighted n-grams." in text
    assert "`mini`, weight 0.5000: A transformer that was trained from nothing" in text
    assert "| `weights.mini` | 0.5 |" in text
    assert "It has no temperature of its own" in text and "without the temperature" not in text
    assert "Its member `linear` sees which short strings" in text
    assert "Of a text of more than 256 tokens its member `mini` reads beginning and end alone" in text


def test_limits_follow_from_the_data(card):
    text = render_markdown(card).split("## Limits")[1].split("## ")[0]
    assert "Fewer than 50 train rows stand behind `差评` (12)" in text
    assert "Chinese 98.0%, Latin 2.0%" in text
    assert "one in a hundred 60 or more, the longest 90" in text
    assert "had a copy in the source's train rows. It was not trained on those copies" in text
    assert "The labels of 5 of 240 test rows look wrong" in text
    assert "points of accuracy" in text
    kept = dict(card.reports) | {"clean": {**card.reports["clean"], "removed": {}}}
    assert "It may have been trained on those copies" in render_markdown(replace(card, reports=kept))
    cut = card.card.model_copy(update={"encoder": Tokens(kind="tokens", max_tokens=64, keep="head")})
    assert "more than 64 tokens it reads the beginning alone" in render_markdown(replace(card, card=cut))
    traditional = replace(card, texts=replace(TEXTS, traditional=0.4))
    assert "are traditional forms" not in render_markdown(traditional)
    assert "train texts are gone" in render_markdown(replace(card, texts=None))


@pytest.mark.parametrize("labels", [["a", "b"], [f"很长的标签名字{n:03d}" for n in range(500)]])
def test_a_description_fits_into_mlflows_tables(labels):
    material = material_of(labels)
    words = CardWords(purpose="长" * 2000, limits="短" * 2000, contact="x" * 200)
    for one in (material, replace(material, words=words)):
        said = render_description(one, "the file `card/x.html`")
        assert len(said) <= DESCRIPTION
        assert "card/x.html" in said
        assert "What it is for" in said


def test_many_labels_become_pairs_and_stay_readable():
    material = material_of([f"类{n}" for n in range(40)])
    tables = markdown_tables(render_markdown(material))["What is taken for what"]
    assert set(tables[0][1][0]) == {"Label", "taken for", "rows", "of the label"}
    assert render_card(material).count("<td") < 5000


def test_a_linear_version_needs_no_baseline(card):
    only = {
        name: {"linear": values["linear"]}
        for name, values in card.summary.items()
        if name in ("candidates", "parameters")
    }
    summary = dict(without(card, "robustness", "slices", "error_kinds").summary) | only
    page = replace(card.page, summary=summary, candidates={"linear": card.page.candidates["linear"]})
    subject = replace(card.subject, candidate="linear")
    kind = card.page.candidates["linear"].answers.card
    text = render_markdown(replace(card, subject=subject, baseline=None, card=kind, summary=summary, page=page))
    assert "It is a linear model itself." in text
    assert set(markdown_tables(text)["Figures"][0][1][0]) == {"Figure", "linear"}
    assert set(NAMES) == {"mini", "linear"}


@pytest.mark.parametrize(("given", "shown"), [
    ("/work/data/reviews", "reviews"),
    ("../data/reviews.csv", "../data/reviews.csv"),
    ("~/x/reviews.csv", "reviews.csv"),
    (r"C:\data\reviews.csv", "reviews.csv"),
    ("file:///home/li/reviews.csv", "reviews.csv"),
    ("s3://id:key@bucket/x", "s3://…@bucket/x"),
    ("https://x/y.csv?sig=1&a=b", "https://x/y.csv?sig=…&a=b"),
    ("hf://owner/name@main", "hf://owner/name@main"),
    ("hotels + books", "hotels + books"),
])  # fmt: skip
def test_addresses(given, shown):
    assert address(given) == shown


def test_messages_keep_what_is_no_path():
    assert fit("and/or 1/2, p = 0.5; models:/x/1; data/x.csv") == "and/or 1/2, p = 0.5; models:/x/1; data/x.csv"
    assert fit("no such file: '/a/b/c.bin' or file:///d/e") == "no such file: 'c.bin' or e"


def test_rules_come_from_params_yaml(tmp_path):
    assert read_rules(tmp_path).shown == 20
    path = tmp_path / "params.yaml"
    path.write_text("register: {examples: 3, card: {purpose: 评论}}\nevaluate: {examples: 7}\n", encoding="utf-8")
    assert (read_rules(tmp_path).shown, read_rules(tmp_path).words.purpose) == (7, "评论")
    path.write_text("register: {examples: 0}\nevaluate: {examples: 7}\n", encoding="utf-8")
    assert read_rules(tmp_path).shown == 0
    path.write_text("register: {card: {porpoise: x}}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"register\.card\.porpoise"):
        read_rules(tmp_path)


def front_matter(material) -> dict:
    return YAML(typ="safe").load(render_markdown(material).split("---\n")[1])


def test_the_front_matter_names_what_hubs_know_and_nothing_else(card):
    told = dict(card.summary) | {"source": "hf://owner/reviews/zh@main"}
    hub = card.card.model_copy(update={"backbone": "hfl/rbt3", "backbone_commit": "b" * 40})
    said = front_matter(replace(card, summary=told, card=hub))
    assert (said["datasets"], said["base_model"]) == (["owner/reviews"], "hfl/rbt3")
    folder = card.card.model_copy(update={"backbone": "/srv/backbones/own", "backbone_commit": "b" * 64})
    local = replace(card, card=folder, summary=told | {"source": "https://u:p@x.example/a/set.csv?token=1"})
    said = front_matter(local)
    assert not {"datasets", "base_model", "license"} & said.keys()
    assert said["model-index"][0]["results"][0]["dataset"]["name"] == "set.csv"
    assert "language" not in front_matter(replace(card, texts=replace(TEXTS, scripts={"Latin": 1.0})))

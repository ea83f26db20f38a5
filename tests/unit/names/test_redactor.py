"""Names out of texts, by the rules of a policy."""

import json
import re
from collections.abc import Callable

import pytest

from spansieve.names.redactor import DROP, ERROR, REMOVED, Redactor
from spansieve.redact.text import jsontext

Make = Callable[..., Redactor]
_PSEUDONYM = re.compile(r"\[person:[0-9a-f]{16}\]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, my name is Jane Roe and I live in Berlin.", "Hello, my name is [PERSON] and I live in [LOCATION]."),
        ("Dear Dr. Müller,", "Dear [PERSON],"),
        ('{"name": "Jane Roe", "n": 1}', '{"name": "[PERSON]", "n": 1}'),
        ('{"t": "Hi\\nJane Roe called"}', '{"t": "Hi\\n[PERSON] called"}'),
        ("We compared Claude with Gemini in July.", "We compared Claude with Gemini in July."),
        (
            "Airflow feeds Trino and Flink, and Podman runs them.",
            "Airflow feeds Trino and Flink, and Podman runs them.",
        ),
        ("Claude Monet lived in Giverny.", "[PERSON] lived in [LOCATION]."),
        ("see https://example.com/jane/roe for more", "see https://example.com/jane/roe for more"),
        ("mail [EMAIL] now", "mail [EMAIL] now"),
        ("", ""),
        ("get_user_42", "get_user_42"),
    ],
)
def test_names_are_replaced(plain: Redactor, text: str, expected: str) -> None:
    """Names of persons and places become tokens, and nothing else does."""
    assert plain.text(text)[0] == expected


def test_findings_are_counted_by_rule(plain: Redactor) -> None:
    """What was found is told by rule, without values."""
    assert plain.text("Jane Roe met Tom Miller in Berlin.")[1] == {"person_in_text": 2, "place_in_text": 1}


def test_one_person_has_one_pseudonym(pseudonyms: Redactor) -> None:
    """However a person is written in a conversation, the pseudonym is the same."""
    texts = ["Dear Dr. Jane Roe,", "jane roe called", "Please ask Jane Roe. Roe knows, and Jane too."]
    changed, _ = pseudonyms.texts(texts, {})
    assert len({name for text in changed.values() for name in _PSEUDONYM.findall(text)}) == 1
    assert not re.search("jane|roe", " ".join(changed.values()), re.IGNORECASE)


def test_one_person_has_one_pseudonym_through_twenty_turns(pseudonyms: Redactor) -> None:
    """Twenty turns, each of which sends all that was said before, give one person one pseudonym in each of them."""
    forms = ["Dr. Jane Roe", "Jane Roe", "jane roe", "Ms Roe", "Jane", "JANE ROE"]
    said = [
        {"role": "user" if turn % 2 else "assistant", "content": f"Please tell {forms[turn % 6]} about item {turn}."}
        for turn in range(20)
    ]
    turns = [json.dumps(said[: turn + 1]) for turn in range(20)]
    changed, _ = pseudonyms.texts(turns, dict.fromkeys(range(20), "gen_ai.input.messages"))
    for turn in range(20):
        contents = [message["content"] for message in json.loads(changed[turn])]
        found = [_PSEUDONYM.findall(content) for content in contents]
        assert {name for names in found for name in names} == {_PSEUDONYM.findall(changed[0])[0]}
        assert [len(names) for names in found] == [1] * (turn + 1)


def test_a_person_has_the_same_pseudonym_in_the_next_trace(pseudonyms: Redactor) -> None:
    """Traces remember nothing of each other, and yet a full name has one pseudonym in all of them."""
    first, second = (pseudonyms.text(f"Please ask {name} now.")[0] for name in ("Jane Roe", "Dr. Jane Roe"))
    assert _PSEUDONYM.findall(first) == _PSEUDONYM.findall(second) != []


def test_two_people_have_two_pseudonyms(pseudonyms: Redactor) -> None:
    """Different people are told apart."""
    changed, _ = pseudonyms.texts(["Jane Roe met Peter Miller in the office."], {})
    assert len(set(_PSEUDONYM.findall(changed[0]))) == 2


def test_a_part_of_a_name_is_found_by_the_full_one(plain: Redactor) -> None:
    """A family name that stands alone is found because the full name stands in another text of the conversation."""
    changed, _ = plain.texts(["I spoke with Jane Quillfeather.", "quote: Quillfeather / 12 / x"], {})
    assert "Quillfeather" not in " ".join(changed.values())


def test_redacting_twice_is_redacting_once(plain: Redactor, pseudonyms: Redactor) -> None:
    """What is put in the place of names is no name."""
    for each in (plain, pseudonyms):
        once = each.text("Jane Roe met Tom Miller in Berlin.")[0]
        assert each.text(once)[0] == once


def test_words_that_are_never_names(make: Make) -> None:
    """A word that the policy lists stays alone, and goes as a part of a longer name."""
    redactor = make("never_names: [Roe]\n")
    assert redactor.text("Please ask Roe about it, Roe is here.")[0] == "Please ask Roe about it, Roe is here."
    assert redactor.text("My name is Jane Roe.")[0] == "My name is [PERSON]."


@pytest.mark.parametrize("key", ["gen_ai.request.model", "service.name", "http.route"])
def test_technical_keys_are_left_alone(plain: Redactor, key: str) -> None:
    """What stands under a key that holds no free text is not read."""
    assert plain.text("Jane Roe", key)[0] == "Jane Roe"


def test_the_action_is_the_policys(make: Make) -> None:
    """An action by entity holds for names too."""
    assert make("actions: {PERSON: {action: remove}}\n").text("My name is Jane Roe.")[0] == "My name is ."
    changed, _ = make("actions: {PERSON: {action: drop}}\n").texts(["My name is Jane Roe."], {})
    assert changed[0] == DROP


def test_a_rule_may_be_disabled(make: Make) -> None:
    """Without the rule for places they stay."""
    assert "Berlin" in make("disable: [place_in_text]\n").text("Jane Roe lives in Berlin.")[0]


def test_a_threshold_of_one_finds_nothing(make: Make) -> None:
    """The policy's threshold is that of the model: at 1 nothing is certain enough."""
    assert (
        make("thresholds: {PERSON: 1, LOCATION: 1}\n").text("Jane Roe lives in Berlin.")[0]
        == "Jane Roe lives in Berlin."
    )


def test_what_fails_is_removed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """When reading raises, every text that was to be read is removed, and counted."""
    redactor = make()

    def fail(*_: object) -> None:
        raise RuntimeError("Jane Roe")

    monkeypatch.setattr(redactor._recogniser, "find", fail)
    changed, found = redactor.texts(["Jane Roe is here", "ok"], {})
    assert changed == {0: REMOVED}
    assert found == {0: {ERROR: 1}}


def test_json_of_very_many_leaves_goes_unread(plain: Redactor) -> None:
    """Each leaf takes memory for as long as it is read; the text beside it stays what it is."""
    many = "[" + '"a",' * jsontext.MOST + '"Jane Roe","a"]'
    changed, found = plain.texts([many, "Jane Roe is here"], {})
    assert changed == {0: REMOVED, 1: "[PERSON] is here"}
    assert found[0] == {ERROR: 1}


def test_pieces_of_a_stream_are_read_together(plain: Redactor) -> None:
    """A name that is cut over the chunks of a stream is found, and its token stands once."""
    texts = ["Hello, my na", "me is Ja", "ne Roe and I", " need help."]
    changed, found = plain.texts(texts, {}, (), [[0, 1, 2, 3]])
    assert (
        "".join(changed.get(i, text) for i, text in enumerate(texts)) == "Hello, my name is [PERSON] and I need help."
    )
    assert sum(sum(counts.values()) for counts in found.values()) == 1


def test_json_with_lone_surrogates_passes_through(plain: Redactor) -> None:
    """JSON that no encoder takes is read too, and stays as it is elsewhere."""
    new = plain.text('{"a": "\\ud800", "n": "My name is Jane Roe"}')[0]
    assert new == '{"a": "\\ud800", "n": "My name is [PERSON]"}'


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "Jane" * 250_000,
        "😀" * 300_000,
        "\u202e" + "שלום עולם " * 50_000,
        " " * 1_000_000,
        "a_" * 400_000,
        "{" * 100_000,
        json.dumps({"a": ["Jane Roe"] * 5_000}),
    ],
    ids=["one word", "no blanks", "emoji", "right to left", "blanks", "identifiers", "brackets", "many names"],
)
def test_hard_texts_are_read_in_bounded_time(plain: Redactor, text: str) -> None:
    """A text made to be costly is read, and gives a text: the test's own time limit bounds it."""
    assert isinstance(plain.text(text)[0], str)

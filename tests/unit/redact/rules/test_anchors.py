"""Anchors say where something might be: never too little."""

import pytest

from spansieve.redact.rules import anchors

_ANCHORS = anchors.build(["@", "sk-", "sk-ant-", "hf_", "passw", "-----begin", "api_key", "ya29."], ["token"])


def _scan(*texts: str) -> dict[int, set[int]]:
    return {index: {anchor for _, anchor in hits} for index, hits in _ANCHORS.scan(texts).items()}


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("alice@example.com", "@"),
        ("x SK-abc", "sk-"),
        ("sk-ant-1", "sk-ant-"),
        ("a hf_b", "hf_"),
        ("My PassWord", "passw"),
        ("-----BEGIN X", "-----begin"),
        ("MY_API_KEY=1", "api_key"),
        ("ya29.x", "ya29."),
    ],
)
def test_literals_are_found_in_any_case(text: str, literal: str) -> None:
    """Each literal is found wherever it stands."""
    assert _ANCHORS.ids[literal] in _scan(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "1234567",
        "12-34-567",
        "(030) 12 34",
        "1.2.3.4",
        "078-05-1120",
        "1 2 3 4 5 6 7",
        "+49\u00a030\u00a012345",
        "12\u201334\u2013567",
        "GB29 NWBK",
        "gb29nwbk",
        "AB 12 34 56 C",
        "ABCDE1234F",
        "MORGA657054",
        "131052A308T",
    ],
)
def test_digits_are_seven_a_dotted_quad_or_the_head_of_an_iban(text: str) -> None:
    """Whatever separates the digits of one number, they are found."""
    assert anchors.DIGITS in _scan(text)[0]


@pytest.mark.parametrize("text", ["123456", "12 34 56", "1.2.3", "2024", "v1.2.3-rc4", "12, 34, 56, 78"])
def test_fewer_digits_are_no_anchor(text: str) -> None:
    """Short numbers cost nothing."""
    assert _scan(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "::1",
        "fe80::1",
        "net fe80::/10",
        "2001:db8::",
        "1:2:3:4:5:6:7:8",
        "aa:bb:cc:dd:ee:ff",
        "AA-BB-CC-DD-EE-FF",
        "aabb.ccdd.eeff",
    ],
)
def test_groups_are_what_addresses_are_made_of(text: str) -> None:
    """IPv6 and MAC addresses in all their forms."""
    assert anchors.GROUPS in _scan(text)[0]


@pytest.mark.parametrize("text", ["12:30:45", "std::vector", "Example::", ":::", "x:y:z"])
def test_other_colons_are_no_anchor(text: str) -> None:
    """Times, and names in code, stand everywhere."""
    assert _scan(text) == {}


@pytest.mark.parametrize("text", ["@property", "see @ noon", '"@id"', "<@U012>", "\n@app.route"])
def test_an_at_sign_behind_nothing_is_no_anchor(text: str) -> None:
    """An address, and the user of a URL, has something before it."""
    assert _scan(text) == {}


def test_hits_are_told_by_text() -> None:
    """A hit belongs to the text that it stands in, and no anchor crosses from one text to the next."""
    assert _scan("clean", "a@b", "123", "4567", "sk", "-") == {1: {_ANCHORS.ids["@"]}}


@pytest.mark.parametrize("before", ["", "é", "用户 ", "😀😀", "\ud800", "\0"])
def test_offsets_are_in_characters(before: str) -> None:
    """The offset points into the text, whatever its characters cost in UTF-8."""
    hits = _ANCHORS.scan(["ü", before + "a@b"])
    assert [place for place in hits[1] if place[1] != anchors.BEYOND] == [(len(before) + 1, _ANCHORS.ids["@"])]
    assert hits.keys() == {1}


@pytest.mark.parametrize(
    "text",
    [
        '"\\u0040"',
        "a%40b",
        "&#64;",
        "&commat;",
        "12-\n34",
        "12\r\n 34",
        "1+2",
        "{'a': 1}",
        "\uff14\uff11",
    ],
)
def test_escapes_are_an_anchor(text: str) -> None:
    """What hides from all others makes itself known."""
    assert _scan(text) == {0: {anchors.ESCAPE}}


def test_a_literal_is_told_by_its_start() -> None:
    """`lead` counts from where the anchor starts, wherever in it the scanner looks first."""
    assert _ANCHORS.scan(["x api_key"]) == {0: [(2, _ANCHORS.ids["api_key"])]}


def test_a_literal_within_another_is_told_too() -> None:
    """The longer one does not hide the rules of the shorter one."""
    assert _scan("sk-ant-")[0] == {_ANCHORS.ids["sk-"], _ANCHORS.ids["sk-ant-"]}


@pytest.mark.parametrize("text", ['{"Token": 1}', '{\\"token\\": 1}', '{"accessToken": 1}', '{"access-token":1}'])
def test_keys_are_found_before_a_quote(text: str) -> None:
    """Plain or escaped, in any case, as the end of a longer key."""
    assert anchors.KEY in _scan(text)[0]


@pytest.mark.parametrize("text", ["YWxpY2VAZXhhbXBsZS5jb20", "616c696365406578616d706c652e636f6d", "A" * 64])
def test_what_may_be_encoded_is_an_anchor(text: str) -> None:
    """A run that says something in ASCII, or is long enough for a picture."""
    assert anchors.ENCODED in _scan(text)[0]


@pytest.mark.parametrize(
    "text",
    [
        "3f2504e0-aaaa-bbbb-cccc-ffffffffffff",
        "deadbeefcafedeadbeefcafe",
        "checkout-service-worker",
        "internationalisation",
    ],
)
def test_ids_and_long_words_are_no_anchor(text: str) -> None:
    """They are runs of the alphabets' characters too, and stand in every span."""
    assert _scan(text) == {}


def test_a_wallets_address_is_an_anchor() -> None:
    """No word beside it is needed."""
    assert anchors.BASE58 in _scan("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")[0]


_CHOOSY = anchors.build(["AKIA", "^dr. ", "# road", "straße ", "^exp$", "~ lane", "^s*license"])


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("AKIAB", "AKIA"),
        ("akiab", None),
        ("Dr. Who", "^dr. "),
        ("(dr. who", "^dr. "),
        ("\\ndr. who", "^dr. "),
        ("xdr. who", None),
        ("12 Elm road", "# road"),
        ("the road 66", "# road"),
        ("the road " + "so " * 22 + " 7", None),
        ("the road", None),
        ("Hauptstraße 5", "straße "),
        ("Exp: 12/29", "^exp$"),
        ("an exp", "^exp$"),
        ("an expert", None),
        ("exp1", None),
        ("unexp ", None),
        ("12 Elm lane", "~ lane"),
        ("on 5th lane", "~ lane"),
        ("the lane", None),
        ("Lanes lane", None),
        ("Hill\nlane", None),
        (" lane", None),
        ("driver's license", "^s*license"),
        ("S - 5 LICENSE", "^s*license"),
        ("this license", None),
        ("s license plates", "^s*license"),
        ("s of license", None),
    ],
)
def test_a_literal_may_ask_for_more(text: str, anchor: str | None) -> None:
    """Capitals for its case, ^ and $ for a word's ends, # for a digit near it, ~ for a name before it, * for a gap."""
    found = {each for _, each in _CHOOSY.scan([text]).get(0, [])}
    assert found == (set() if anchor is None else {_CHOOSY.ids[anchor]})


def test_a_digit_in_the_next_text_is_not_near() -> None:
    """Texts are looked at one by one, also where they are joined."""
    assert _CHOOSY.scan(["the road", "12"]) == {}


@pytest.mark.parametrize("native", [True, False])
def test_long_texts_are_told_as_alone(native: bool) -> None:
    """Whatever else is in the same look, such as characters of another width, or a value in disguise."""
    scanner = anchors.build(["@", "api_key"], native=native)
    plain, wide, odd = "a@b " * 300, "用户 a@b 😀 " * 200, "é api_key 4\u200b1 " * 90
    texts = [plain, wide, "", odd, plain, "\0\ud800a@b" * 200]
    alone = {index: sorted(scanner.scan([text])[0]) for index, text in enumerate(texts) if text}
    assert {index: sorted(places) for index, places in scanner.scan(texts).items()} == alone


@pytest.mark.parametrize("native", [True, False])
def test_a_text_with_more_anchors_than_memory_is_for_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    native: bool,
) -> None:
    """A place takes a hundred bytes: one every other byte of a large request would take all memory."""
    monkeypatch.setattr(anchors, "MOST_PLACES", 100)
    scanner = anchors.build(["@"], native=native)
    assert len(scanner.scan(["a@" * 100])[0]) == 100
    with pytest.raises(anchors.OverBudget):
        scanner.scan(["a@" * 101])


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("пароль: Qw3", 8),
        ("密码是Qw3", 3),
        ("パスワード\uff1a“Qw3”", 7),
        ("дата=1980", 5),
        ("κωδικός — x1", 10),
        ("пароль 'Qw3'", 8),
    ],
)
@pytest.mark.parametrize("native", [True, False])
def test_ascii_behind_another_script_is_found_where_it_starts(text: str, at: int, *, native: bool) -> None:
    """With a space, a sign or a quote between them, by Vectorscan and without it."""
    assert (at, anchors.BEYOND) in anchors.build(["@"], native=native).scan([text])[0]


@pytest.mark.parametrize("text", ["what? now", "caf\u00e9 1", "wait… 1", "\u201cquoted\u201d 1", "a — b", "пароль."])
def test_prose_with_a_sign_beyond_latin_is_none(text: str) -> None:
    """One such character alone is punctuation."""
    assert _scan(text) == {}

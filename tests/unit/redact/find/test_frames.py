"""What stands below a name in a table whose columns only blanks part is that column's value."""

import pytest

from unit.redact.helpers_redact import clean


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (
            "  user             email  password  active\n0  ann  ann@example.com     horse    True\n"
            "1  bob    b@example.com    tennis   False\n\nDone with password now.",
            "  user             email  password  active\n0  ann  [EMAIL]     [SECRET]    True\n"
            "1  bob    [EMAIL]    [SECRET]   False\n\nDone with password now.",
        ),
        (
            "  first_name last_name  age\n0        Ann       Lee    3\n1  Alexandra     Jones   42\n",
            "  first_name last_name  age\n0        [PERSON]       [PERSON]    3\n1  [PERSON]     [PERSON]   42\n",
        ),
        (
            "    password  n\nid             \n1      horse  2\n2     tennis  3\n",
            "    password  n\nid             \n1      [SECRET]  2\n2     [SECRET]  3\n",
        ),
        (
            "USER    PASSWORD   HOST\nroot    horse      db1\nannie   dog walk   db2\n",
            "USER    PASSWORD   HOST\nroot    [SECRET]      db1\nannie   [SECRET]   db2\n",
        ),
        ("user  password\n----  --------\nann   horse\n", "user  password\n----  --------\nann   [SECRET]\n"),
        (
            "full_name    city\nAnn Lee      Rome\nBo           Oslo",
            "full_name    city\n[PERSON]      Rome\n[PERSON]           Oslo",
        ),
    ],
    ids=["pandas", "names side by side", "a named index", "commands", "a line drawn", "no line end"],
)
def test_cells_are_told_by_their_place(text: str, becomes: str) -> None:
    """To the left below their name, or to the right; and again it stays as it is."""
    assert clean(text) == becomes
    assert clean(becomes) == becomes


@pytest.mark.parametrize(
    "text",
    [
        "NAME                  TYPE     DATA   AGE\ndefault-token-abcde   Opaque   3      3d\n",
        "CONTAINER ID   IMAGE     NAMES\n0123456789ab   redis:7   cache\n",
        "Key       Value\n---       -----\nversion   1\n",
        "name    count\nalpha   3\nbeta    4\n",
        "Option     Default   Meaning\nPassword   none      what to ask\n",
        "Forgot your password  now\nor not\n",
        "password  strength\n\nis a matter  of taste\n",
        "Key        Value\n---        -----\npassword   changed\nttl        768h\n",
        "host       port\npassword   none\nuser       ann\n",
        "usage: tool [options]\n  --password  ask for it\n  --user      whose\n",
    ],
)
def test_other_tables_stay(text: str) -> None:
    """Those of resources, of options, and sentences with two blanks."""
    assert clean(text) == text


def test_a_cell_below_two_names_is_both_columns() -> None:
    """A value that is as wide as its column touches the next: all of it goes."""
    text = "  user password   n\n0  annie horsehorse  2\n"
    assert "horse" not in clean(text)


def test_the_record_below_its_line_has_a_name_and_a_value_in_each() -> None:
    """As psql shows rows that are too wide."""
    text = "-[ RECORD 1 ]--------\nfull_name | Ann Lee\npassword  | horse\nn         | 3\n"
    assert clean(text) == "-[ RECORD 1 ]--------\nfull_name | [PERSON]\npassword  | [SECRET]\nn         | 3\n"


@pytest.mark.parametrize("bar", ["\u2502", "\u2503", "\u2551"])
def test_drawn_bars_are_bars(bar: str) -> None:
    """Whatever character draws them."""
    text = f"{bar} user {bar} password {bar}\n{bar} ann  {bar} horse    {bar}\n"
    assert clean(text) == text.replace("horse", "[SECRET]")

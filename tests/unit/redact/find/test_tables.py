"""What stands below the head of a table is taken as the value of its column's name."""

import time

import pytest

from spansieve import redact
from spansieve.redact import CompiledRules
from spansieve.redact.find import tables
from spansieve.redact.rules import anchors
from spansieve.redact.rules.compiled import NO_FACTS
from unit.redact.helpers_redact import clean, default_rules


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (
            "name | ssn | password\nAlice Smith | 219099999 | hunter\nBob | 219-09-9998 | -horse-",
            "name | ssn | password\n[PERSON] | [US_SSN] | [SECRET]\n[PERSON] | [US_SSN] | [SECRET]",
        ),
        (
            "| **Name** | DOB | Pwd |\n|:---|----|---|\n| Eva | 12/05/1981 | horse |\n",
            "| **Name** | DOB | Pwd |\n|:---|----|---|\n| [PERSON] | [BIRTH_DATE] | [SECRET] |\n",
        ),
        (
            " id | password \n----+----------\n  1 | horse\n  2 | battery\n(2 rows)",
            " id | password \n----+----------\n  1 | [SECRET]\n  2 | [SECRET]\n(2 rows)",
        ),
        (
            "+----+-------+\n| id | pwd   |\n+----+-------+\n| 1  | horse |\n+----+-------+",
            "+----+-------+\n| id | pwd   |\n+----+-------+\n| 1  | [SECRET] |\n+----+-------+",
        ),
        (
            "id,first_name,password\n1,Alice,horse\n2,,battery\n",
            "id,first_name,password\n1,[PERSON],[SECRET]\n2,,[SECRET]\n",
        ),
        (
            'id;"customer_name";"api_key"\r\n1;"Roe; Jane";"ab""cd"\r\n',
            'id;"customer_name";"api_key"\r\n1;"[PERSON]";"[SECRET]"\r\n',
        ),
        ("id\tlast_name\tcvv\n1\tRoe\t123", "id\tlast_name\tcvv\n1\t[PERSON]\t[CVV]"),
        (
            "Rows:\n\nid,password\n1,horse\n\nThat, too, is all.",
            "Rows:\n\nid,password\n1,[SECRET]\n\nThat, too, is all.",
        ),
        (
            "<tr><th>Id</th><th>Password</th></tr>\n<tr><td>1</td><td>horse</td></tr>",
            "<tr><th>Id</th><th>Password</th></tr>\n<tr><td>1</td><td>[SECRET]</td></tr>",
        ),
        (
            "INSERT INTO t (id, first_name, pwd) VALUES (1, 'O''Neil', 'horse'), (2, N'Bob', 'x,y');",
            "INSERT INTO t (id, first_name, pwd) VALUES (1, '[PERSON]', '[SECRET]'), (2, N'[PERSON]', '[SECRET]');",
        ),
        ("id,phone\n1,4155552671", "id,phone\n1,[PHONE]"),
    ],
)
def test_a_cell_has_its_columns_name_as_its_key(text: str, becomes: str) -> None:
    """In tables as query tools, spreadsheets, assistants and pages write them; and again it stays as it is."""
    assert clean(text) == becomes
    assert clean(becomes) == becomes


@pytest.mark.parametrize(
    "text",
    [
        "name,version\nnumpy,2.1.0\n",
        "column_name,data_type\nfirst_name,varchar\npassword,text\n",
        "| Parameter | Type |\n|---|---|\n| password | string |\n| api_key | string |",
        "| Feature | API key | OAuth |\n|---|---|---|\n| read | yes | no |",
        "Field | Required\nPassword | yes\nEmail | yes",
        "def f(name,email,phone):\n    return name,email,phone\n",
        "Please give your name, a password,\nand the address, too.",
        "INSERT INTO users (first_name, password) VALUES (%s, ?)",
        "INSERT INTO users (first_name, password) VALUES (:name, $2)",
        "Enter your password\nThen press return.",
        "id,password\n",
        "<th>Password</th>",
    ],
)
def test_what_is_no_table_of_values_stays(text: str) -> None:
    """Lists of columns, types, documentation, placeholders, code and prose."""
    assert clean(text) == text


def test_a_cell_too_many_is_judged_by_the_last_name_that_tells() -> None:
    """A mark in a cell that is not quoted moves the cells behind it: none is left over."""
    assert clean("id,password\n1,horse,battery\n") == "id,password\n1,[SECRET],[SECRET]\n"


def test_columns_without_a_head_beside_them_stay(default: CompiledRules) -> None:
    """A text without an anchor for a head is not read as a table."""
    assert tables.find("id,password\n1,horse\n", [(3, anchors.ESCAPE)], default, NO_FACTS) == []


def test_more_cells_than_the_budget_are_removed_with_the_text(default: CompiledRules) -> None:
    """A table that costs more than the policy's limits goes as a whole."""
    text = "id,pwd\n" + "1,a\n" * 40_000
    new, found = redact.text(text, default)
    assert (new, found) == ("[REMOVED]", {"budget": 1})


@pytest.mark.parametrize(
    "text",
    [
        "name,a\n" * 10_000,
        "a,name,b," * 8_000,
        "insert into " * 6_000,
        "</th>" * 13_000,
        "<tr><th>name</th>" * 4_000,
        "name |" * 11_000,
        ("name |\n" + " " * 60) * 1_000,
        "name,x\n" + '"' * 60_000,
        "name,x\n" + "," * 60_000,
        "password\n\n" * 6_000,
    ],
)
def test_a_table_costs_in_proportion_to_its_size(text: str, default: CompiledRules) -> None:
    """Twice as much of what looks like heads takes about twice as long."""

    def cost(value: str) -> float:
        places = default.anchors.scan([value]).get(0, [])
        begun = time.process_time()
        try:
            tables.find(value, places, default, NO_FACTS)
        except anchors.OverBudget:
            return 0.0
        return time.process_time() - begun

    half = min(cost(text[: len(text) // 2]) for _ in range(3))
    assert min(cost(text) for _ in range(3)) <= 4 * half + 0.01


@pytest.fixture(name="default")
def _default() -> CompiledRules:
    return default_rules()

"""What the shipped model of names finds, and what it leaves, on texts that were written for this test alone."""

import sysconfig
from pathlib import Path

import pytest

from spansieve.names import model
from spansieve.names.recogniser import Recogniser

_NAMED = {
    "informal": [
        ("omg priya just told me shes moving to lisbon", "priya lisbon"),
        ("Can't believe Okonkwo missed that penalty", "Okonkwo"),
        ("shout out to Katarzyna and her brother Piotr for the lift", "Katarzyna Piotr"),
        ("has anyone seen marcus? he left his keys in chicago lol", "marcus chicago"),
        ("Ines says hi from Marrakesh!!", "Ines Marrakesh"),
        ("dinner w/ Yuki tonight, can't wait", "Yuki"),
        ("why is Fernanda always late", "Fernanda"),
        ("thx Bjorn, ur the best", "Bjorn"),
    ],
    "support": [
        ("Caller Ayesha Siddiqui says the replacement never reached her in Leeds.", "Ayesha Siddiqui Leeds"),
        ("Please transfer the contract of Mr Vandenberghe to his daughter Elke.", "Vandenberghe Elke"),
        (
            "Patient: Rodrigo Salvatierra\nReferring doctor: Dr. Nguyen\nTown: Tacoma",
            "Rodrigo Salvatierra Nguyen Tacoma",
        ),
        (
            "Dear Ms. Achterberg,\n\nyour claim has been settled.\n\nBest regards,\nTomas Lindqvist",
            "Achterberg Tomas Lindqvist",
        ),
        ("I spoke to Hannah in billing, she said Mr Popescu had approved it.", "Hannah Popescu"),
        ("The courier left it with my neighbour, Giulia Ferrante.", "Giulia Ferrante"),
        ("Guest Oluwaseun Adeyemi checks in on Friday, coming from Lagos.", "Oluwaseun Adeyemi Lagos"),
        ("first_name: Matteo\nlast_name: Brambilla\ncity: Bologna", "Matteo Brambilla Bologna"),
        ("Escalated by Siobhan O'Rourke to the team in Toronto.", "Siobhan Rourke Toronto"),
        ('{"requester": "Wojciech Zielinski", "office": "Gdansk", "open": true}', "Wojciech Zielinski Gdansk"),
        ("Ship to:\nCarmen Ibarra\n14 Maple Street\nDenver, CO 80203", "Carmen Ibarra Maple Denver"),
        ("Attendees: Jia Wei, Abdul Rahman, Kirsten Dahl", "Jia Wei Abdul Rahman Kirsten Dahl"),
    ],
    "prose": [
        ("Amelia Hargreaves was born in Bristol and studied in Vienna.", "Amelia Hargreaves Bristol Vienna"),
        ("In 1934 Kowalczyk moved to Buenos Aires, where he met Elena Duarte.", "Kowalczyk Buenos Aires Elena Duarte"),
        ("The bridge was designed by Isambard Thornbury and opened in Norwich.", "Isambard Thornbury Norwich"),
        ("Senator Whitfield told reporters in Atlanta that the bill would fail.", "Whitfield Atlanta"),
        ("Exports from Portugal to Morocco rose by four percent.", "Portugal Morocco"),
        ("The novel follows Margit Solberg, a teacher from Bergen.", "Margit Solberg Bergen"),
    ],
}

_NAMELESS = [
    "We compared Claude, Gemini and Llama on the summarisation task.",
    "The Kafka consumer in the payment service is lagging since Tuesday.",
    "Mark the ticket as resolved and bill the customer in March.",
    "Will the job restart by itself? It may, but I would not bet on it.",
    "Run pip install pandas flask jinja2 and restart Jenkins.",
    "SELECT first_name, last_name FROM customers WHERE city IS NULL",
    "Thank you for your patience, your refund is on its way.",
    '{"model": "claude-3-haiku", "finish_reason": "stop", "usage": {"total_tokens": 412}}',
    "Please summarise the attached report in three bullet points.",
    "2026-02-03 11:20:05 WARN retry 3/5 connection refused",
    "Frank feedback is welcome, and so is hope.",
    "Choose Opus for quality, Haiku for speed.",
    "The Python and Rust clients share one protocol buffer schema.",
    "Your verification code expires in ten minutes.",
]


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """The shipped model at its own thresholds."""
    shipped = model.shipped()
    return Recogniser(shipped, shipped.thresholds)


@pytest.mark.parametrize(("kind", "least"), [("informal", 0.7), ("support", 0.95), ("prose", 0.92)])
def test_recall_by_kind_of_text(recogniser: Recogniser, kind: str, least: float) -> None:
    """Of the words of names in texts of each kind at least so many are found."""
    found = wanted = 0
    for text, names in _NAMED[kind]:
        marked = " ".join(text[start:end] for start, end, _ in recogniser.find([text])[0])
        wanted += len(names.split())
        found += sum(name in marked for name in names.split())
    assert found / wanted >= least


def test_texts_without_names_stay(recogniser: Recogniser) -> None:
    """Of words in messages without names at most one in a hundred is taken for one, names of products by rule aside."""
    marked = [text[s:e] for text in _NAMELESS for s, e, _ in recogniser.find([text])[0]]
    never = {"claude", "gemini", "llama", "kafka", "jenkins", "opus", "haiku", "python", "march", "frank"}
    words = [word for name in marked for word in name.split() if word.casefold() not in never]
    assert len(words) <= sum(len(text.split()) for text in _NAMELESS) / 100


def test_false_alarms_on_code(recogniser: Recogniser) -> None:
    """Of the words of program code at most 0.3 % are taken for names (of lines that name nobody)."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    words = alarms = 0
    for name in (
        "argparse",
        "asyncio/tasks",
        "csv",
        "dataclasses",
        "http/client",
        "json/decoder",
        "logging/handlers",
        "tarfile",
    ):
        lines = (folder / f"{name}.py").read_text(encoding="utf-8").split("\n")
        kept = [line for line in lines if "@" not in line and " by " not in line and "(c)" not in line]
        texts = ["\n".join(kept[at : at + 20]) for at in range(0, len(kept), 20)]
        words += sum(len(text.split()) for text in texts)
        for text, spans in zip(texts, recogniser.find(texts), strict=True):
            alarms += sum(len(text[start:end].split()) for start, end, _ in spans)
    assert words > 20_000
    assert alarms / words <= 0.003

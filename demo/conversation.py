"""What the users of the demo application ask: seeded, with planted personal data, and with a fate for each request."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from demo.planted import KINDS, Planted, plant


class Fate(StrEnum):
    """What the provider is told to do with the last LLM call of a request. The value is what the ledger calls it."""

    OK = "ok"
    SLOW = "slow"
    RATE_LIMIT = "rate_limit"
    CONTEXT_OVERFLOW = "context_overflow"
    PROVIDER_5XX = "provider_5xx"

    @property
    def failed(self) -> bool:
        """Whether the call, and with it the request, ends in an error."""
        return self not in (Fate.OK, Fate.SLOW)


class Shape(StrEnum):
    """Which calls a request makes."""

    PLAIN = "plain"  # one answer in one piece
    STREAM = "stream"  # one streamed answer
    RETRIEVAL = "retrieval"  # an embedding, a look-up, a streamed answer
    TOOL = "tool"  # a tool call, the tool, a streamed answer


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt template of a shape's last call, and what the call is for."""

    template: str
    version: str
    task_type: str


PROMPTS = {
    Shape.PLAIN: Prompt("answer", "1", "chat"),
    Shape.STREAM: Prompt("answer", "2", "chat"),
    Shape.RETRIEVAL: Prompt("answer-from-faq", "1", "faq"),
    Shape.TOOL: Prompt("order-status", "1", "order"),
}
_TURNS = 4


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a user. `marker` is a word of the prompt that is nobody's business to hide: it must arrive."""

    number: int
    text: str
    marker: str
    model: str
    shape: Shape
    fate: Fate
    user: Planted  # the e-mail address of who asks: `user.id`
    client: Planted  # the IP address: `client.address`
    planted: tuple[Planted, ...]  # in the text, in order

    @property
    def conversation(self) -> str:
        """The conversation that it is a turn of."""
        return f"conversation-{self.number // _TURNS}"

    @property
    def hallucination(self) -> float:
        """What an evaluation says of the answer, from 0 (clean) to 1."""
        return self.number % 5 / 10

    @property
    def feedback(self) -> str:
        """The user's judgement of the answer: up, down, or empty for none."""
        return "up" if self.number % 3 == 0 else "down" if self.number % 3 == 1 else ""


EMBEDDING_MODEL = "text-embedding-3-small"
CHAT_MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-4.1-mini")
SYSTEM_PROMPT = "You answer customers of an umbrella shop. Be brief and friendly, and never promise a delivery date."

# One block of twenty: failures and slow answers are exact shares, in an order that the seed shuffles.
_FATES = (
    *[Fate.OK] * 14,
    *[Fate.SLOW] * 2,
    *[Fate.RATE_LIMIT] * 2,
    Fate.CONTEXT_OVERFLOW,
    Fate.PROVIDER_5XX,
)
_SENTENCES = {
    "email": "Please write to {} when the umbrella is ready.",
    "phone": "You can also call me at {}.",
    "card": "I paid with card {} last week.",
    "ssn": "For the customs form: my social security number is {}.",
    "iban": "Refund it to IBAN {} please.",
    "ip": "The shop's page logged me out from {}.",
    "api_key": "My script uses api_key={} and gets an error.",
    "jwt": "It sends the header Authorization: Bearer {} as you said.",
    "pem": "This is what I put into the file:\n{}\nIs that right?",
}
_PLANTED_EACH = 3


def questions(seed: int) -> Iterator[Question]:
    """Questions without end. The same seed gives the same ones; every kind of planted value comes up in any three."""
    random = Random(seed)
    shapes = list(Shape)
    number = 0
    while True:
        fates = list(_FATES)
        random.shuffle(fates)
        for fate in fates:
            yield _question(number, fate, shapes[number % len(shapes)], random)
            number += 1


def _question(number: int, fate: Fate, shape: Shape, random: Random) -> Question:
    kinds = list(KINDS)
    first = number * _PLANTED_EACH % len(kinds)
    planted = tuple(plant(kind, random) for kind in (kinds + kinds)[first : first + _PLANTED_EACH])
    marker = f"kestrel-{number:04}"
    sentences = [_SENTENCES[value.kind].format(value.text) for value in planted]
    return Question(
        number=number,
        text=f"Hello, it is about umbrella {marker}. {' '.join(sentences)}",
        marker=marker,
        model=random.choice(CHAT_MODELS),
        shape=shape,
        fate=fate,
        user=plant("email", random),
        client=plant("ip", random),
        planted=planted,
    )

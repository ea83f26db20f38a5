"""What an operator writes in a policy file, as types: their fields are the reference of the format.

Descriptions and examples go into the JSON Schema and into the sentences about mistakes.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo, model_validator

from spansieve.mistakes import Written
from spansieve.redact.policy import others, presidio
from spansieve.redact.policy.actions import MOST_KEPT
from spansieve.redact.policy.sealing import public_key_problem
from spansieve.redact.rules import linear, patterns, selectors, wholes
from spansieve.redact.rules.validators import VALIDATORS, known_country, known_region


def _join_pieces(value: object) -> object:
    if isinstance(value, list) and all(isinstance(piece, str) for piece in value):
        return "".join(value)
    return value


IsShipped = Callable[[str], bool]
"""Says whether a pattern is one of the package's own, which run on `re`. It is the context of the validation."""


def _pattern(value: str, info: ValidationInfo) -> str:
    is_shipped: IsShipped | None = info.context
    shipped = is_shipped is not None and is_shipped(value)
    if problem := patterns.problem(value) if shipped else linear.problem(value):
        raise ValueError(problem)
    return value


def _validator(value: str) -> str:
    if value not in VALIDATORS:
        raise ValueError(f"is not a validator; there are {', '.join(sorted(VALIDATORS))}")
    return value


def _region(value: str) -> str:
    if not known_region(value):
        raise ValueError("is not a two-letter ISO 3166 region with a telephone numbering plan")
    return value


def _other(value: str) -> str:
    if problem := others.problem(value):
        raise ValueError(problem)
    return value


def _country(value: str) -> str:
    if not known_country(value):
        raise ValueError("is not the two-letter ISO 3166 code of a country whose numbers are known")
    return value


def _place(value: str) -> str:
    if not selectors.matching(value):
        raise ValueError(f"is no place, and fits none; there are {', '.join(selectors.TITLES)}")
    return value


def _no_hash(value: object) -> object:
    if value == "hash":
        raise ValueError("would be an unkeyed hash, which is undone by trying all values: use pseudonym, with a key")
    return value


def _public_key(value: str) -> str:
    if problem := public_key_problem(value):
        raise ValueError(problem)
    return value


Pieces = Annotated[str, BeforeValidator(_join_pieces, json_schema_input_type=str | list[str])]
"""A text, or a list of pieces to be joined: so secret scanners do not take a made-up key for a real one."""

Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression that RE2 and Python's `re` read alike, with bounded repeats. It runs on RE2, in linear time."""

PlaceGlob = Annotated[str, AfterValidator(_place)]
"""A place such as `span.attribute`, or a glob over them such as `span.*`."""

ActionName = Annotated[
    Literal["replace", "remove", "drop", "mask", "truncate", "pseudonym", "encrypt"], BeforeValidator(_no_hash)
]

EntityName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,31}$")]


class Positive(Written):
    """A text in which the rule must find something, and what becomes of it."""

    text: Pieces = Field(description="What comes in.", examples=["mail alice@example.com"])
    key: str = Field("", description="The attribute key it comes under.", examples=["db.password"])
    becomes: Pieces = Field(
        description="What leaves; the typed token may stand for whatever the action puts.", examples=["mail [EMAIL]"]
    )


class Negative(Written):
    """A text that the rules must leave as it is."""

    text: Pieces = Field(description="What comes in and leaves.", examples=["gpt-4o-mini-2024-07-18"])
    key: str = Field("", description="The attribute key it comes under.", examples=["gen_ai.request.model"])


def _text_alone(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


NegativeExample = Annotated[Negative, BeforeValidator(_text_alone, json_schema_input_type=str | Negative)]
"""A text alone is an example without a key."""


class Examples(Written):
    """What `policy test` runs."""

    positive: tuple[Positive, ...] = Field((), description="What the rule finds.")
    negative: tuple[NegativeExample, ...] = Field((), description="What stays as it is.")


class Supports(Written):
    """The clauses that a rule helps to meet. It does not meet them alone, and nobody has certified it."""

    gdpr: tuple[str, ...] = Field((), description="Articles of Regulation (EU) 2016/679.", examples=[["5(1)(c)"]])
    hipaa: tuple[Annotated[str, Field(pattern=r"^[A-R]$")], ...] = Field(
        (), description="Letters of Safe Harbor, 45 CFR 164.514(b)(2)(i).", examples=[["F"]]
    )
    pci_dss: tuple[str, ...] = Field((), description="Requirements of PCI DSS 4.0.1.", examples=[["3.5.1"]])
    soc2: tuple[str, ...] = Field((), description="Trust Services Criteria (2017).", examples=[["CC6.7"]])


class Action(Written):
    """What is put in a value's place."""

    action: ActionName = Field(
        "replace",
        description=(
            "replace: `token`. remove: nothing. drop: the whole attribute goes. mask: `token` with the last `keep` "
            "characters. truncate: the network of an IP address. pseudonym: a keyed hash, the same for the same value. "
            "encrypt: for the holder of the private key."
        ),
        examples=["replace"],
    )
    token: str | None = Field(
        None, description="`[ENTITY]` when not given.", pattern=r"^\[[A-Z][A-Z0-9_]{0,31}\]$", examples=["[EMAIL]"]
    )
    keep: int = Field(
        MOST_KEPT, description="Last characters that a mask shows.", ge=0, le=MOST_KEPT, examples=[MOST_KEPT]
    )
    ipv4_prefix: int = Field(24, description="Bits of an IPv4 address that truncate keeps.", ge=0, le=24, examples=[24])
    ipv6_prefix: int = Field(48, description="Bits of an IPv6 address that truncate keeps.", ge=0, le=56, examples=[48])


class Detector(Written):
    """What finds a rule's values in place of patterns."""

    presidio: str | None = Field(
        None,
        description="A recogniser of Presidio by its name, or a class of one's own by its dotted path.",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$",
        examples=["CreditCardRecognizer"],
    )
    args: dict[str, Any] = Field({}, description="What the class is made with.", examples=[{}])
    names: Literal["PERSON", "LOCATION"] | None = Field(
        None,
        description="What the shipped model of names finds, where `redaction.names` has it run: persons, or places.",
        examples=["PERSON"],
    )
    never: tuple[str, ...] = Field(
        (), description="With `names`: words that are no names, but as a part of a longer one.", examples=[["Claude"]]
    )

    @model_validator(mode="after")
    def _usable(self) -> "Detector":
        if (self.presidio is None) == (self.names is None):
            raise ValueError("needs either presidio or names")
        if self.presidio is not None and (problem := presidio.problem(self.presidio, self.args)):
            raise ValueError(problem)
        return self


class Where(Written):
    """Values at certain places, below certain attributes, of certain speakers. All that is given must fit."""

    places: tuple[PlaceGlob, ...] = Field(
        (), description=f"Any of these; all when not given. Of {', '.join(selectors.TITLES)}.", examples=[["span.*"]]
    )
    keys: tuple[str, ...] = Field(
        (),
        description="Attribute keys, as sent, with * and ?; all when not given.",
        examples=[["gen_ai.input.messages"]],
    )
    roles: tuple[Literal["user", "assistant", "system", "tool"], ...] = Field(
        (),
        description="Who speaks in the message that the value is in; all, and what is in no message, when not given.",
        examples=[["user"]],
    )


class Rule(Action):
    """What finds one kind of value, and what is put in its place."""

    name: str = Field(
        description="Unique; the `rule` label of the metrics.", pattern=r"^[a-z][a-z0-9_]{1,47}$", examples=["email"]
    )
    entity: EntityName = Field(description="The kind of value.", examples=["EMAIL"])
    reason: str = Field(description="Why the rule is there.", min_length=10, examples=["identifies a person"])
    owner: str = Field("", description="Who answers for it; the policy's owner when empty.", examples=["privacy team"])
    supports: Supports = Field(
        Supports(gdpr=(), hipaa=(), pci_dss=(), soc2=()), description="Clauses, besides those of its entity."
    )
    where: tuple[Where, ...] = Field(
        (), description="Where it applies: where any of these fits; everywhere when not given.", examples=[[]]
    )
    unless: tuple[Where, ...] = Field((), description="Where it does not: where any of these fits.", examples=[[]])
    country: Annotated[str, AfterValidator(_country)] | None = Field(
        None, description="Whose number it is; the policy's `countries` may leave it out.", examples=["US"]
    )
    detector: Detector | None = Field(None, description="Finds the value in place of patterns.")
    patterns: tuple[Pattern, ...] = Field(
        (),
        description="Find the value; a group named `value` narrows what is replaced.",
        examples=[[r"\d{3}-\d{2}-\d{4}"]],
    )
    score: float = Field(
        wholes.PATTERN,
        description=(
            f"Confidence in what a pattern finds. A context word adds {wholes.NEARBY}, a validator makes it "
            f"{wholes.CONFIRMED:g}; context patterns have {wholes.IN_CONTEXT}; a detector tells its own."
        ),
        ge=0,
        le=1,
        examples=[wholes.PATTERN],
    )
    threshold: float = Field(0.5, description="Confidence from which on a finding counts.", ge=0, le=1, examples=[0.5])
    validator: Annotated[str, AfterValidator(_validator)] | None = Field(
        None, description="Checks, and may narrow, what a pattern found.", examples=["card"]
    )
    context_patterns: tuple[Pattern, ...] = Field(
        (), description="Like patterns, but they count only near a context word.", examples=[[r"\d{9}"]]
    )
    context_validator: Annotated[str, AfterValidator(_validator)] | None = Field(
        None, description="Checks what a context pattern found.", examples=["phone_in_context"]
    )
    context: tuple[str, ...] = Field(
        (), description="Words within 48 characters before or 24 after, or in the key.", examples=[["ssn"]]
    )
    anchors: tuple[str, ...] = Field(
        (),
        description=(
            "Literals of which each match of the patterns holds one, in any case. With them, texts that hold none are "
            "not looked at. (In shipped packs also <digits> and <groups>.)"
        ),
        examples=[["@"]],
    )
    lead: int | None = Field(
        None,
        description="In shipped packs: most characters of a match before its anchor, when that is known.",
        ge=0,
        le=4096,
        examples=[8],
    )
    unless_before: Pattern | None = Field(
        None, description="What stands right before a match to make it none.", examples=[r"version[ :]{1,2}"]
    )
    keys: tuple[str, ...] = Field(
        (),
        description="Keys whose whole value is replaced: the last words of the key, in snake_case; `*word` ends in it.",
        examples=[["client_secret"]],
    )
    key_value: Pattern | None = Field(
        None, description="What the whole value under such a key must be.", examples=[r"\d{3,4}"]
    )
    except_keys: tuple[str, ...] = Field(
        (), description="Keys under which the rule does not count.", examples=[["version"]]
    )
    examples: Examples = Field(Examples(positive=(), negative=()), description="What `policy test` runs.")

    @property
    def replacement(self) -> str:
        """What is put in the value's place by the actions that always put the same, and by others that cannot act."""
        return "" if self.action in ("remove", "drop") else self.token or f"[{self.entity}]"


class Allow(Written):
    """An allow-list: of all texts, only those named here stay, and the rules apply to them. The others are content."""

    keys: tuple[str, ...] = Field(
        description="Attribute keys whose texts stay, as sent, with * and ?.", examples=[["gen_ai.request.model"]]
    )
    places: tuple[PlaceGlob, ...] = Field(
        description="Places whose texts stay, whatever their key.", examples=[["span.name"]]
    )
    reason: str = Field(description="Why nothing else stays.", min_length=10, examples=["no content leaves"])
    examples: Examples = Field(
        Examples(positive=(), negative=()), description="What `policy test` runs, as attributes of spans."
    )


class Limits(Written):
    """Work that one value may cost. Beyond it the value is removed whole and counted under `budget`."""

    depth: int = Field(8, description="JSON inside JSON strings.", ge=1, le=32, examples=[8])
    checks: int = Field(
        4000, description="Candidates examined and patterns tried at words, for any value.", ge=1, examples=[4000]
    )
    checks_per_kib: int = Field(200, description="As many more, for each KiB of the value.", ge=0, examples=[200])


class PseudonymKey(Written):
    """Where the key of pseudonyms is; at least 32 bytes, such as those of `openssl rand -hex 32`."""

    key_env: str | None = Field(
        None,
        description="An environment variable that holds it.",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        examples=["SPANSIEVE_PSEUDONYM_KEY"],
    )
    key_file: str | None = Field(
        None, description="A file that holds it.", min_length=1, examples=["/run/secrets/pseudonym-key"]
    )

    @model_validator(mode="after")
    def _one(self) -> "PseudonymKey":
        if (self.key_env is None) == (self.key_file is None):
            raise ValueError("needs either key_env or key_file")
        return self


class Encryption(Written):
    """To whom `encrypt` encrypts."""

    public_key: Annotated[str, AfterValidator(_public_key)] = Field(
        description="X25519, in PEM: `openssl pkey -in private.pem -pubout`.",
        examples=["-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n"],
    )


class Policy(Written):
    """A redaction policy: rule packs, what is changed about them, and rules of one's own."""

    version: Literal[1] = Field(1, description="Of the format of this file.", examples=[1])
    name: str = Field("unnamed", description="Shown wherever the policy is named.", min_length=1, examples=["default"])
    description: str = Field("", description="For readers.", examples=["What no one may see"])
    owner: str = Field("", description="Who answers for the rules that name no owner.", examples=["privacy team"])
    include: tuple[str, ...] = Field((), description="Rule packs of the package.", examples=[["secrets"]])
    disable: tuple[str, ...] = Field((), description="Rules of those packs to leave out.", examples=[["mac"]])
    actions: dict[str, Action] = Field(
        {}, description="Actions by entity, or by rule, in place of the rules' own.", examples=[{}]
    )
    thresholds: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        {}, description="Thresholds by entity, or by rule, in place of the rules' own.", examples=[{}]
    )
    never_names: tuple[str, ...] = Field(
        (),
        description="Words that are no names of persons or places, but as a part of a longer one: products, teams.",
        examples=[["Aurora"]],
    )
    names_also: tuple[Annotated[str, AfterValidator(_other)], ...] = Field(
        (),
        description="Other recognisers of names, whose findings are added: `spacy:` and the name or the folder of a "
        "pipeline, or `rampart`. Some thousand words a second; a text above 65,536 characters is removed.",
        examples=[[]],
    )
    refuse: tuple[ActionName, ...] = Field(
        (), description="Actions that no rule of this policy may have, whoever changes it.", examples=[["pseudonym"]]
    )
    regions: tuple[Annotated[str, AfterValidator(_region)], ...] = Field(
        ("US", "GB", "DE", "FR"),
        description="Whose national telephone numbers are known.",
        examples=[["US"]],
    )
    countries: tuple[Annotated[str, AfterValidator(_country)], ...] | None = Field(
        None,
        description="Whose identity, tax, health and bank numbers are known; all countries' when not given.",
        examples=[["US", "DE"]],
    )
    allow: Allow | None = Field(None, description="When given, texts that it does not name are removed.")
    pseudonym: PseudonymKey | None = Field(None, description="Where the key of pseudonyms is.")
    encrypt: Encryption | None = Field(None, description="To whom `encrypt` encrypts.")
    limits: Limits = Field(Limits(depth=8, checks=4000, checks_per_kib=200), description="Work that a value may cost.")
    rules: tuple[Rule, ...] = Field(
        (), description="Rules; one with a pack's rule's name takes its place.", examples=[[]]
    )


def examples_of(*models: type[BaseModel]) -> dict[str, Any]:
    """A valid example of each key of these sections."""
    return {name: f.examples[0] for model in models for name, f in model.model_fields.items() if f.examples}

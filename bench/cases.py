"""Texts for each shipped rule with one value in each that the rule is there for: made, or varied from its examples.

Made: by a generator that knows the kind of value (check digits, names of people from several countries) and not the
rule's pattern. Varied: the value of an example with other letters and digits behind its prefix, for rules of which
nobody but the issuer knows more than the form.
"""

import base64
import string
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

from faker import Faker

from bench import cases_of_formats
from bench import values as make
from spansieve.redact.policy import Rule
from spansieve.redact.rules.literals import MARKS

EACH = 220
"""Values of each rule."""

_LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE")
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


class Case(NamedTuple):
    """A text with a value, and the key that it stands under."""

    text: str
    key: str
    value: str


Cases = Callable[[Random], Case]

_FAKERS = {locale: Faker(locale) for locale in _LOCALES}


def _faked(random: Random, method: str, *locales: str) -> str:
    faker = _FAKERS[random.choice(locales or _LOCALES)]
    faker.seed_instance(random.randrange(1 << 30))
    return " ".join(str(getattr(faker, method)()).split())


def _carried(value: make.Make) -> Cases:
    def case(random: Random) -> Case:
        made = value(random)
        carriers = make.CARRIERS if "\n" not in made else [each for each in make.CARRIERS if not each.startswith("{{")]
        return Case(random.choice(carriers).format(made), "", made)

    return case


def _in(value: make.Make, *texts: str) -> Cases:
    """In one of these texts, in which `{}` is the value."""

    def case(random: Random) -> Case:
        made = value(random)
        return Case(random.choice(texts).replace("{}", made), "", made)

    return case


def _under(value: make.Make, *keys: str) -> Cases:
    """Alone under one of these keys, or under it within JSON."""

    def case(random: Random) -> Case:
        made, key = value(random), random.choice(keys)
        if random.random() < 0.5:
            return Case(made, f"app.{key}", made)
        return Case(f'{{"id": 7, "{key}": "{made}", "n": [1, 2]}}', "gen_ai.tool.call.arguments", made)

    return case


def _name(random: Random) -> str:
    return f"{_faked(random, 'first_name')} {_faked(random, 'last_name')}"


def _date(random: Random) -> str:
    year, month, day = random.randrange(1930, 2010), random.randrange(1, 13), random.randrange(1, 29)
    return random.choice((f"{year}-{month:02}-{day:02}", f"{month}/{day}/{year}", f"{day:02}.{month:02}.{year}"))


def _date_in_full(random: Random) -> str:
    """With two digits for day and month, as forms have it."""
    year, month, day = random.randrange(1930, 2010), random.randrange(1, 13), random.randrange(1, 29)
    return random.choice((f"{day:02}/{month:02}/{year}", f"{day:02}.{month:02}.{year}"))


def _date_in_words(random: Random) -> str:
    month = random.choice(
        ("January", "Feb", "March", "April", "Jun", "July", "August", "Sept", "October", "Nov", "Dec")
    )
    day = random.randrange(1, 29)
    return random.choice((f"{month} {day}", f"{day} {month}", f"the {day}th of {month}")).removeprefix("the ")


def _hex(random: Random, size: int) -> str:
    return make.letters(random, size, "0123456789abcdef")


def _bech32(random: Random) -> str:
    """A version 0 address of Bitcoin, with the checksum of BIP 173."""
    data = [0, *(random.randrange(32) for _ in range(32))]
    data[-1] &= 0b10000  # 20 bytes are 32 groups of five bits
    expanded = [3, 3, 0, 2, 3, *data, 0, 0, 0, 0, 0, 0]
    check = 1
    for value in expanded:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    check ^= 1
    return "bc1" + "".join(_BECH32[each] for each in (*data, *(check >> 5 * (5 - i) & 31 for i in range(6))))


def _basic(random: Random) -> str:
    return base64.b64encode(f"{_faked(random, 'user_name')}:{make.password(random)}".encode()).decode()


def _phrase(random: Random) -> str:
    words = [_faked(random, "word", "en_US").lower() for _ in range(60)]
    return " ".join([word for word in words if word.isalpha() and 3 <= len(word) <= 8][:12])


def _number(*sizes: int, groups: str = "") -> make.Make:
    return lambda random: groups.join(make.digits(random, size) for size in sizes)


def _document(random: Random) -> str:
    return make.letters(random, 1, string.ascii_uppercase) + make.digits(random, 8)


def _national(random: Random) -> str:
    return random.choice(list(make.NATIONAL.values()))(random)


def _age(random: Random) -> str:
    return str(random.randrange(90, 116))


def _street(random: Random) -> str:
    return random.choice((_english_street, _german_street, _french_street))(random)


def _english_street(random: Random) -> str:
    kind = random.choice(("Street", "Ave", "Road", "Blvd", "Lane", "Drive"))
    return f"{random.randrange(1, 9999)} {_faked(random, 'last_name', 'en_US')} {kind}"


def _german_street(random: Random) -> str:
    return f"{_faked(random, 'last_name', 'de_DE')}straße {random.randrange(1, 300)}"


def _french_street(random: Random) -> str:
    return f"{random.randrange(1, 300)} rue de {_faked(random, 'city', 'fr_FR')}"


def _southern_street(random: Random) -> str:
    street, locale = random.choice((("Via", "it_IT"), ("Calle", "es_ES"), ("Rua", "pt_BR"), ("ul.", "pl_PL")))
    return f"{street} {_faked(random, 'last_name', locale)} {random.randrange(1, 300)}"


def _spelled(random: Random) -> str:
    """An address of mail as people write it for people."""
    name, _, host = make.email(random).partition("@")
    at, dot = random.choice(((" (at) ", " (dot) "), ("[at]", "[dot]"), (" at ", " dot "), ("[at]", ".")))
    return (
        f"{name}{at}{host.replace('.', dot)}" if host.isascii() else f"{_faked(random, 'user_name')}{at}example{dot}org"
    )


def _zone(random: Random) -> str:
    """The machine-readable zone of a passport, without check digits: they say nothing to a reader of texts."""
    names = f"{_faked(random, 'last_name', 'en_US')}<<{_faked(random, 'first_name', 'en_US')}".upper()
    number = make.letters(random, 9, string.ascii_uppercase + string.digits)
    return f"P<UTO{names}".ljust(44, "<") + f"\n{number}6UTO{make.digits(random, 7)}F{make.digits(random, 7)}".ljust(
        45, "<"
    )


def _degrees(random: Random) -> str:
    return f"{random.uniform(-90, 90):.6f}"


MADE: Mapping[str, Cases] = {
    "email": _carried(lambda r: make.email(r) if r.random() < 0.5 else _faked(r, "email")),
    "phone": _carried(make.phone),
    "phone_called": _in(
        _number(3, 4, groups=" "), "please call {} today", "nobody is answering at {}", "you can dial {}"
    ),
    "phone_other_scripts": _in(
        _number(3, 4, 4, groups="-"),
        "电话: {}",
        "телефон {}, звоните",
        "전화번호는 {} 입니다",
        "我的手机号是{}。",
        "טלפון: {}",
    ),
    "payment_card": _carried(make.card),
    "card_by_key": _under(_number(16), "card_number", "creditCardNumber", "cc_number"),
    "card_track": _in(
        lambda r: (
            f"%B{make.luhn(make.digits(r, 15, '45'))}^{_faked(r, 'last_name', 'en_US').upper()}/A^30121010000000?"
        ),
        "swiped {} at the till",
    ),
    "card_verification": _in(_number(3), "CVV: {}", "the security code is {}.", '{"cvc": "{}"}', "cvv2={} ok"),
    "card_pin": _in(_number(4), "my PIN is {}", "PIN: {}", "the pin code is {}."),
    "card_expiry": _in(
        lambda r: f"{r.randrange(1, 13):02}/{r.randrange(25, 40)}", "exp {}", "valid thru {}", "expiry date: {}"
    ),
    "iban": _carried(make.iban),
    "us_ssn": _carried(make.us_ssn),
    "us_itin": _carried(make.us_itin),
    "ipv4_public": _carried(make.ipv4),
    "ipv4_private": _carried(lambda r: f"10.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(1, 255)}"),
    "ipv6_public": _carried(make.ipv6),
    "ipv6_private": _carried(lambda r: f"fd{_hex(r, 2)}:" + ":".join(_hex(r, 4) for _ in range(3)) + "::1"),
    "mac": _carried(make.mac),
    "jwt": _carried(make.jwt),
    "private_key": _carried(make.pem),
    "bearer": _in(lambda r: make.letters(r, 32) + "7", "sent Bearer {}", "bearer: {}"),
    "basic": _in(_basic, "sent Basic {} to it"),
    "authorization_header": _in(lambda r: make.letters(r, 24), "Authorization: Token {}", "{'authorization': '{}'}"),
    "cookie_header": _in(lambda r: f"sid={_hex(r, 24)}; theme=dark", "Cookie: {}", "set-cookie: {}"),
    "url_credentials": _in(make.url_credentials, "postgres://{}@db.example/app", "see https://{}@example.org:8443/x"),
    "url_signature": _in(lambda r: _hex(r, 32), "https://s3.example/a?X-Amz-Signature={}&y=1", "GET /x?a=1&sig={}"),
    "secret_by_key": _under(make.password, "password", "dbPassword", "client_secret", "X-Api-Key", "refresh_token"),
    "token_by_key": _under(lambda r: _hex(r, 32), "token", "session", "signature"),
    "secret_in_text": _in(
        make.password, "password={}", "my password is {}", "DB_PASSWORD='{}'", "api_key={}", '"secret": "{}"'
    ),
    "secret_in_command": _in(
        make.password, "login --password {} now", "Server=db;Password={};", "<password>{}</password>", "passwd = {}"
    ),
    "random_secret": _in(lambda r: make.letters(r, 24) + "7Qx", "signing key: {}", "token: {}", "the access key is {}"),
    "password_hash": _in(
        lambda r: r.choice(
            (
                f"{'$2b'}$12${make.letters(r, 53)}",
                f"{'$argon2id'}$v=19$m=65536,t=3,p=4${make.letters(r, 22)}${make.letters(r, 43)}",
                f"{'$apr1'}${make.letters(r, 8)}${make.letters(r, 22)}",
                f"{'pbkdf2_sha256'}$600000${make.letters(r, 22)}${make.letters(r, 43)}=",
            )
        ),
        "hash: {}",
        "alice:{}",
    ),
    "named_key": _in(
        lambda r: make.letters(r, 24) + "7Qx" if r.random() < 0.5 else _hex(r, 32),
        "ALGOLIA_KEY={}",
        'deepgram_key: "{}"',
        "GITEA_PAT={} make",
        "const mapsKey = '{}';",
    ),
    "user_and_password": _in(
        lambda r: make.letters(r, 12), 'run(["curl", "-u", "bob:{}", "h.example"])', '{"args": ["-u", "bob:{}"]}'
    ),
    "pwd_by_key": _under(make.password, "pwd"),
    "secret_of_tool": _in(
        make.password, "sshpass -p '{}' ssh h", "mysql -u root -p'{}' app", "docker login -u a -p '{}' r.example"
    ),
    "ethereum": _carried(make.ethereum),
    "bitcoin": _in(make.bitcoin, "my wallet is {}", "send it in BTC to {} please", "bitcoin address {}"),
    "bitcoin_segwit": _carried(_bech32),
    "monero": _in(lambda r: "4A" + make.letters(r, 93, make.BASE58), "XMR {}", "my monero wallet: {}"),
    "wallet_by_key": _under(make.bitcoin, "wallet_address", "btcAddress"),
    "seed_phrase": _in(_phrase, "seed phrase: {}", "my recovery phrase is {}"),
    "national_id": _carried(_national),
    "national_id_by_key": _under(_number(9), "bsn", "taxId", "national_id", "nhs_number"),
    "id_number": _in(_document, "passport {}", "my driver's license number is {}", "MRN: {}", "license plate {}"),
    "id_number_by_key": _under(_document, "passport_number", "driverLicense", "mrn"),
    "bank_account": _in(_number(12), "account number: {}", "from my bank account {}"),
    "bank_account_by_key": _under(_number(10), "account_number", "bankAccount"),
    "bic": _in(lambda r: _faked(r, "swift", "en_GB", "de_DE"), "BIC: {}", "SWIFT code {}"),
    "person_by_key": _under(_name, "full_name", "customerName", "patient_name"),
    "person_in_form": _in(
        lambda r: _faked(r, "first_name"),
        "<FirstName>{}</FirstName>",
        "first_name: {}\nn: 1",
        "first_name={}&n=1",
        "<user><first_name>{}</first_name></user>",
    ),
    "person_introduced": _in(
        _name, "Hello, my name is {} and I need help", "Patient name: {}", "a customer named {}, who"
    ),
    "person_titled": _in(lambda r: _faked(r, "last_name"), "ask Dr. {} about it", "Mrs. {} called", "Herr {} schrieb"),
    "person_greeted": _in(lambda r: _faked(r, "first_name"), "Dear {},\nthank you", "Hi {}!", "Best regards,\n{}"),
    "birth_date": _in(_date, "DOB: {}", "I was born on {}.", "date of birth {}"),
    "address": _in(_english_street, "ship it to {} today", "I moved to {}.", "Address: {}"),
    "address_german": _in(_german_street, "sie wohnt {}", "Anschrift: {}.", "ship it to {} today"),
    "address_french": _in(_french_street, "il habite {}.", "Adresse: {}", "ship it to {} today"),
    "address_southern": _in(_southern_street, "abita in {}.", "dirección: {}", "ship it to {} today"),
    "post_box": _in(lambda r: f"P.O. Box {r.randrange(1, 99999)}", "write to {}", "Address: {}, Boston"),
    "address_told": _in(
        lambda r: f"{r.randrange(1, 999)} {_faked(r, 'last_name')} Court", "I live at {}", "now I live at {}."
    ),
    "address_by_key": _under(_street, "home_address", "shippingAddress", "street"),
    "user_path": _in(lambda r: _faked(r, "user_name"), 'File "/home/{}/app/main.py", line 3', "C:\\Users\\{}\\x.txt"),
    "slack_webhook": _in(
        lambda r: f"T0{make.digits(r, 9)}/B0{make.digits(r, 9)}/{make.letters(r, 24)}",
        "https://hooks." + "slack.com/services/{}",
    ),
    "langsmith_key": _carried(lambda r: f"{'lsv2'}_pt_{_hex(r, 32)}_{_hex(r, 10)}"),
    "logfire_token": _carried(lambda r: f"{'pylf'}_v1_{r.choice(('us', 'eu'))}_{make.letters(r, 43)}"),
    "infrastructure_token": _carried(
        lambda r: r.choice(
            (
                f"{'hvs'}.{make.letters(r, 30)}",
                f"{'dp'}.pt.{make.letters(r, 43)}",
                f"{'pul'}-{_hex(r, 40)}",
                f"{'tskey'}-auth-{make.letters(r, 28)}",
                f"{'rubygems'}_{_hex(r, 48)}",
            )
        )
    ),
    "marked_key": _carried(
        lambda r: r.choice(
            (
                f"{make.letters(r, 52)}{'JQQ'}J99{make.letters(r, 26)}",
                f"{make.letters(r, 76)}{'AZ'}DO{make.letters(r, 4)}",
                f"{make.letters(r, 3)}8{'Q~'}{make.letters(r, 34)}",
                f"{_hex(r, 36)}{'NR'}AL",
                f"{make.letters(r, 14)}.{'atlas'}v1.{make.letters(r, 67)}",
            )
        )
    ),
    "bot_token": _carried(
        lambda r: r.choice(
            (
                f"{make.digits(r, 9, '1234567')}:{'AA'}{make.letters(r, 33)}",
                f"{base64.b64encode(make.digits(r, 18).encode()).decode()}.{make.letters(r, 6)}.{make.letters(r, 38)}",
            )
        )
    ),
    "webhook_url": _in(
        lambda r: f"{make.digits(r, 18)}/{make.letters(r, 68)}", "https://discord.com/api/" + "webhooks/{}"
    ),
    "person_on_card": _in(_name, "BEGIN:VCARD\nFN:{}\nEND:VCARD"),
    "email_spelled": _in(_spelled, "write to {}, please", "mail: {}"),
    "birth_date_beside": _in(
        _date_in_full, "| Geburtsdatum | {} |", "Geburtsdatum: {}", "née le {}", "fecha de nacimiento: {}"
    ),
    "coordinates": _in(_degrees, '{"latitude": {}, "n": 1}', "lat: {}", "lng={}"),
    "password_in_prose": _in(
        lambda r: make.password(r) + "7x",
        "Passwort: {}",
        "mot de passe : {}",
        "the password was changed to {}",
        "senha: {}",
    ),
    "one_time_code": _in(_number(6), "Your verification code is {}. Do not share it.", "OTP: {}", "login code: {}"),
    "upi": _in(lambda r: f"{make.digits(r, 10)}@{r.choice(('ybl', 'okaxis', 'paytm'))}", "pay to {} now", "UPI: {}"),
    "extended_key": _carried(lambda r: f"{'xpr'}v{make.letters(r, 107, make.BASE58)}"),
    "machine_readable_zone": _in(_zone, "scanned:\n{}\nend", "{}"),
    "booking_code": _in(
        lambda r: (
            make.letters(r, 2, string.ascii_uppercase) + make.digits(r, 1) + make.letters(r, 3, string.ascii_uppercase)
        ),
        "PNR: {}",
        "record locator {}",
        "your booking reference is {}.",
    ),
    # of single policies
    "user_id": _under(lambda r: f"u-{make.digits(r, 6)}", "enduser.id", "userId", "customer_id"),
    "special_category": _under(lambda r: _faked(r, "word"), "diagnosis", "religion", "sexualOrientation"),
    "date": _in(_date, "seen on {} by", "admitted {}.", "{}"),
    "date_in_words": _in(_date_in_words, "on {}, 2024", "since {} we wait"),
    "age_over_89": _in(_age, "a {}-year-old woman", "age: {}", "she is {} years old"),
    "zip_code": _in(_number(5), "zip code {}", "Postal code: {}"),
    "web_url": _in(lambda r: f"/patients/{make.digits(r, 6)}?tab=2", "see https://clinic.example{} now"),
    "coded_number": _in(lambda r: f"A{make.digits(r, 7)}", "policy no. {}", "serial number {}", "claim #{}"),
    "person_code": _under(lambda r: f"A-{make.digits(r, 6)}", "patient_id", "memberId", "session.id"),
    "cardholder_name": _under(_name, "cardholder_name", "nameOnCard"),
    "card_verification_listed": _in(_number(3), "4539148803436467,09/28,{}", "4539 1488 0343 6467 09/2028 {}"),
    "service_code": _under(_number(3), "service_code"),
    **{name: _in(value, *texts) for name, (value, texts) in cases_of_formats.MADE.items()},
}
"""By name of the rule."""


def of(rule: Rule, seed: int) -> tuple[str, Iterator[Case]]:
    """How a rule's cases come about (`made`, `varied`, or nothing when there are none), and the cases."""
    random = Random(f"{seed} {rule.name}")  # noqa: S311 - no secret
    if (cases := MADE.get(rule.name)) is not None:
        return "made", (cases(random) for _ in range(EACH))
    examples = [each for each in map(_parted, _positive(rule)) if each is not None]
    if not examples:
        return "", iter(())
    return "varied", (_varied(rule, *random.choice(examples), random) for _ in range(EACH))


def _positive(rule: Rule) -> Iterator[tuple[str, str, str]]:
    return ((each.text, each.key, each.becomes) for each in rule.examples.positive)


def _parted(example: tuple[str, str, str]) -> tuple[str, str, str, str] | None:
    """An example's text before the value, the value, the text behind it, and the key; None with several values."""
    text, key, becomes = example
    before, bracket, rest = becomes.partition("[")
    _, closed, after = rest.partition("]")
    if not (bracket and closed) or "[" in after or not (text.startswith(before) and text.endswith(after)):
        return None
    return before, text[len(before) : len(text) - len(after)], after, key


def _varied(rule: Rule, before: str, value: str, after: str, key: str, random: Random) -> Case:
    lowered = value.lower()
    literals = [anchor.lstrip(MARKS).removesuffix("$").lower() for anchor in rule.anchors]
    prefix = max((len(literal) for literal in literals if lowered.startswith(literal)), default=0)
    rest = value[prefix:]
    hexadecimal = all(character in string.hexdigits for character in rest if character.isalnum())
    kinds = {
        str.isdigit: string.digits,
        str.islower: "abcdef" if hexadecimal else string.ascii_lowercase,
        str.isupper: "ABCDEF" if hexadecimal else string.ascii_uppercase,
    }
    other = "".join(next((random.choice(of) for kind, of in kinds.items() if kind(c) and c.isascii()), c) for c in rest)
    made = value[:prefix] + other
    return Case(before + made + after, key, made)

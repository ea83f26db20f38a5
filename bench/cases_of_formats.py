"""Values as scripts, forms, chips, institutions and issuers write them, with the texts they stand in: see `cases`."""

import base64
from collections.abc import Mapping, Sequence
from random import Random

from bench import values as make

_MONTHS = ("января", "мая", "августа", "декабря")
_NAMES = ("ROE^JANE", "SMITH^ALICE^Q", "JONES^ROBERT", "LEE^ANN")


def _day(random: Random) -> str:
    year, month, day = random.randrange(1930, 2010), random.randrange(1, 13), random.randrange(1, 29)
    return random.choice(
        (
            f"{day:02}.{month:02}.{year}",
            f"{year}-{month:02}-{day:02}",
            f"{year}年{month}月{day}日",
            f"{day} {random.choice(_MONTHS)} {year}",
        )
    )


def _apart(value: make.Make) -> make.Make:
    """The digits and letters of a value in groups of four that a sign of its own parts."""

    def made(random: Random) -> str:
        plain = "".join(filter(str.isalnum, value(random)))
        between = random.choice((",", ", ", "/", "\n", "\t", "_", " | "))
        return between.join(plain[at : at + 4] for at in range(0, len(plain), 4))

    return made


def _visa(random: Random) -> str:
    return make.luhn("4" + make.digits(random, 14))


def _ssn_apart(random: Random) -> str:
    between = random.choice((",", "/", "\n", "_"))
    return between.join(
        (f"{random.randrange(100, 666)}", f"{random.randrange(1, 99):02}", f"{random.randrange(1, 9999):04}")
    )


def _lines(random: Random) -> str:
    raw = base64.b64encode(random.randbytes(150)).decode()
    return "\n".join(raw[at : at + 64] for at in range(0, len(raw), 64))


def _secret(random: Random) -> str:
    return make.letters(random, 8) + make.digits(random, 2)


_HEX = "0123456789abcdef"


def _key(*forms: tuple[str, int, str]) -> make.Make:
    """A key of one of these forms: what it begins with, and how many of which letters follow."""

    def made(random: Random) -> str:
        begins, size, letters = random.choice(forms)
        rest = make.letters(random, size, letters) if letters else make.letters(random, size)
        if not letters:  # letters of both cases and a digit, as all but the rarest have
            rest = f"aB7{rest[3:]}"
        return begins + rest

    return made


_IN_TEXTS = ("key {} end", "use {}, please", "VALUE='{}'")

MADE: Mapping[str, tuple[make.Make, Sequence[str]]] = {
    "agent_key": (
        _key(
            ("tl_", 64, _HEX),
            ("sk_" + "car_", 22, ""),
            ("sk_" + "V2_hgu_", 30, ""),
            ("aph0_", 60, ""),
            ("ak_", 20, ""),
            ("tr_" + "prod_", 24, ""),
            ("signkey-" + "test-", 64, _HEX),
            ("scp-" + "live-", 32, _HEX),
            ("polar_" + "oat_", 43, ""),
            ("hl_" + "sk_", 48, _HEX),
        ),
        _IN_TEXTS,
    ),
    "tool_key": (
        _key(
            ("FwoGZXIv" + "YXdz", 200, ""),
            ("cfk_", 40, ""),
            ("ddapp_", 34, ""),
            ("ddpat_", 40, ""),
            ("dose", 32, _HEX),
            ("essu_", 80, ""),
            ("EAA" + "G", 150, ""),
            ("IGQ" + "W", 130, ""),
            ("kpat_", 40, ""),
            ("key-", 32, _HEX),
            ("os_v2_" + "app_", 103, "abcdefghijklmnop234567"),
            ("rootly_", 64, _HEX),
            ("xoxd-", 100, ""),
            ("cio", 32, ""),
            ("sk_org_" + "live_", 60, ""),
        ),
        _IN_TEXTS,
    ),
    "shop_key": (
        _key(
            ("live_", 30, ""),
            ("Mid-" + "server-", 24, ""),
            ("creem_", 22, ""),
            ("sk_", 30, ""),
            ("secret_" + "live_", 32, ""),
            ("cal_" + "live_", 32, _HEX),
            ("dub_", 24, ""),
            ("xau_", 30, ""),
            ("retool_", 40, ""),
        ),
        _IN_TEXTS,
    ),
    "payment_card_apart": (_apart(_visa), ("my card is {} ok", "Kreditkarte: {}", "VISA {}.")),
    "iban_apart": (_apart(make.iban), ("my IBAN is {} ok", "IBAN: {}")),
    "us_ssn_apart": (_ssn_apart, ("my SSN is {} ok", "social security number: {}")),
    "card_in_chip_data": (_visa, ("tags 5A" + "08{}5F340101", "9F2608A1B2C3D4E5F607085A" + "08{}")),
    "password_in_other_scripts": (
        _secret,
        (
            "мой пароль: {}",
            "пароль для входа: {}, спасибо",
            "我的密码是{}\uff0c谢谢",
            "パスワード\uff1a{}",
            "비밀번호는 {} 입니다",
            "כאן הסיסמה: {}",
        ),
    ),
    "birth_date_other_scripts": (
        _day,
        (
            "дата рождения: {}",
            "родилась {} в Москве",
            "出生日期\uff1a{}",
            "生年月日は{}です",
            "생년월일: {}",
            "תאריך לידה: {}",
        ),
    ),
    "person_in_message": (
        lambda random: random.choice(_NAMES),
        ("MSH|^~\\&|A\rPID|1||12345^^^H||{}||19800512|F\r", "NK1|1|{}|SPO\r", "GT1|1|A7|{}\r"),
    ),
    "private_key_end": (_lines, ("cut\n{}\n-----END RSA PRI" + "VATE KEY-----",)),
    "password_hash_of_windows": (
        lambda random: f"{make.letters(random, 32, '0123456789abcdef')}:{make.letters(random, 32, '0123456789abcdef')}",
        ("bob:1001:{}:::", "Administrator:500:{}:::\n"),
    ),
}
"""By name of the rule. In a text, `{}` is the value."""

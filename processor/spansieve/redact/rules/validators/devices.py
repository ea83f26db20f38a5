"""Numbers of devices, vehicles, documents and accounts."""

from spansieve.redact.rules.validators.checksums import luhn


def imei(number: str) -> bool:
    """Identity of a mobile device: Luhn over fifteen digits (3GPP TS 23.003, annex B)."""
    return number != "0" * 15 and luhn(number)


def iccid(number: str) -> bool:
    """Identity of a SIM: 89, and Luhn where the check digit is given (ITU-T E.118)."""
    return number.startswith("89") and (luhn(number) or len(number) == 19)


def vin(number: str) -> bool:
    """Vehicle identification: seventeen characters without I, O and Q (ISO 3779)."""
    return len(number) == 17 and not set("IOQ") & set(number) and sum(map(str.isdigit, number)) >= 3


def document(number: str) -> bool:
    """A document's number has no check digit that all issuers share: six to twenty characters, mostly digits."""
    digits = sum(map(str.isdigit, number))
    return 6 <= len(number) <= 20 and digits >= 4 and 2 * digits >= len(number) and len(set(number)) > 1


def plate(number: str) -> bool:
    """A number plate: four to ten letters and digits."""
    return 4 <= len(number) <= 10 and not number.isdigit() and not number.lower().startswith("sha")


def account(number: str) -> bool:
    """An account's number, as banks outside of the IBAN's countries give it: six to seventeen digits."""
    return 6 <= len(number) <= 17 and number.isdigit() and len(set(number)) > 1

"""What the golden files of measuring are written in."""

from typing import Any

from spansieve.measure.llm_call import LlmCall, Observation


def plain(observation: Observation) -> dict[str, Any]:
    """Return what an observation says, without ids and times of day, as YAML can write it."""
    said: dict[str, Any] = {"is": type(observation).__name__, "dialect": observation.origin.source.dialect}
    fields = observation._asdict()
    if isinstance(observation, LlmCall):
        fields |= fields.pop("kind")._asdict()
    for field, value in fields.items():
        if field in {"origin", "user"} or value is None or value in ("", ()) or (field == "is_risk" and not value):
            continue
        if hasattr(value, "_asdict"):
            said[field] = {key: count for key, count in value._asdict().items() if count is not None}
        elif isinstance(value, tuple):
            said[field] = [str(each) for each in value]
        elif isinstance(value, str):
            said[field] = str(value)
        else:
            said[field] = value
    return said

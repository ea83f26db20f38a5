"""The providers of models."""

import pytest

from spansieve.measure.read import providers


def test_canonical_providers_stand_for_themselves() -> None:
    """No provider's name is another's alias; frameworks are no providers."""
    known = providers.load()
    assert all(known[name] == name for name in known.values() if name)
    assert known["strands-agents"] == ""
    assert providers.load_separate_cache() <= set(known.values())


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "aws.bedrock"),
        ("global.anthropic.claude-opus-5", "aws.bedrock"),
        ("Anthropic.Claude-3-5-Sonnet-20240620-v1:0", "aws.bedrock"),
        ("amazon.titan-embed-text-v2:0", "aws.bedrock"),
        ("openai.gpt-oss-120b-1:0", "aws.bedrock"),
        ("arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.amazon.nova-pro-v1:0", "aws.bedrock"),
        ("cohere.command-r-08-2024", ""),  # Oracle's
        ("meta.llama-3.3-70b-instruct", ""),
        ("claude-sonnet-4-5", ""),
        ("gpt-4o", ""),
        ("llama3.1:8b", ""),
        ("usual.suspect", ""),
        ("", ""),
    ],
)
def test_a_models_id_may_tell_the_provider(model: str, provider: str) -> None:
    """Bedrock's do; a maker and a name alone are written by others as well, and say nothing of the price."""
    assert providers.of_model(model) == provider


def test_a_models_id_tells_a_provider_that_is_one() -> None:
    """By its canonical name."""
    assert providers.of_model("us.amazon.nova-pro-v1:0") in providers.load().values()

"""Which attributes may not become labels."""

import pytest

from spansieve import identifiers


@pytest.mark.parametrize(
    "attribute",
    [
        "user.id", "userId", "user_id", "enduser.id", "user.email", "customerEmail", "session.id", "llm.prompt",
        "gen_ai.conversation.id", "gen_ai.response.id", "http.request.id", "traceId", "gen_ai.tool.call.id",
        "gen_ai.input.messages",
        "gen_ai.completion", "url.full.url", "exception.message", "client.address", "db.query.text", "user.name",
        "traceloop.association.properties.session_id", "langfuse.observation.input", "x-api-token",
    ],
)  # fmt: skip
@pytest.mark.parametrize("has_allow", [False, True])
def test_identifiers_and_texts_are_refused(attribute: str, has_allow: bool) -> None:
    """What identifies someone or one request, or holds text, is no label, however its key is written."""
    assert identifiers.refusal(attribute, has_allow=has_allow) is not None


@pytest.mark.parametrize("attribute", ["tenant_id", "tenantId", "user.plan", "host", "k8s.pod.uid.hash", "http.path"])
def test_some_need_an_allow_list(attribute: str) -> None:
    """What may have any number of values becomes a label if the operator lists those that matter."""
    assert "under allow" in (identifiers.refusal(attribute, has_allow=False) or "")
    assert identifiers.refusal(attribute, has_allow=True) is None


@pytest.mark.parametrize(
    "attribute",
    ["llm.task_type", "cloud.region", "deployment.environment.name", "gen_ai.agent.name", "feature", "tenant.tier"],
)
def test_others_are_free(attribute: str) -> None:
    """What has few values by nature may be a label."""
    assert identifiers.refusal(attribute, has_allow=False) is None

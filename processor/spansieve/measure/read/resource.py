"""What is known of the sender."""

from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from spansieve.measure.read.values import MAX_TEXT


def service_name(resource: Resource) -> str:
    """Return the resource's service.name, cut to MAX_TEXT; empty when it has none."""
    for attribute in resource.attributes:
        if attribute.key == "service.name":
            return attribute.value.string_value[:MAX_TEXT]
    return ""

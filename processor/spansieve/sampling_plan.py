"""From the configuration's section `sampling` to what the sampler works by."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from spansieve import config_llm_policies as llm
from spansieve import config_policies as plain
from spansieve import config_sampling as config
from spansieve.config import ConfigError
from spansieve.model import Because
from spansieve.sample import policies, rates
from spansieve.sample.budget import Budget
from spansieve.sample.buffer import Waits
from spansieve.sample.conversations import Conversation
from spansieve.sample.decision import Rule, Rules
from spansieve.sample.dynamic import EmaDynamic
from spansieve.sample.plan import Plan
from spansieve.sample.probes import NumberProbe, Probe, ProbeError, Probes, TextProbe, TraceStateProbe, TruthProbe

_MIB = 1024 * 1024


def plan(settings: config.Sampling, probes: Probes) -> Plan:
    """Make the plan, and have `probes` look for what its policies ask. Raises ConfigError."""
    makers = _Makers(settings.policies, probes)
    rules = [_rule(each, makers) for each in settings.policies]
    waits = Waits(
        settings.decision_wait,
        settings.decision_wait_after_root_received or None,
        settings.late_error_wait,
        int(settings.maximum_trace_size_mib * _MIB),
    )
    limits = settings.budget
    budget = None
    if limits.traces_per_minute is not None or limits.mib_per_minute is not None:
        size = None if limits.mib_per_minute is None else limits.mib_per_minute * _MIB
        budget = Budget(limits.traces_per_minute, size)
    return Plan(Rules(rules), waits, budget, tuple(makers.conversations))


def entity_problems(settings: config.Sampling, known: Collection[str]) -> list[str]:
    """What policies ask for that no rule of redaction finds, a sentence each: they would keep nothing."""
    asked = {
        (each.name, entity): None
        for each in config.every(settings.policies)
        if isinstance(each, llm.Redacted)
        for entity in each.redacted.entities
        if entity not in known
    }
    return [
        f"sampling.policies: {name!r} asks for the entity {entity!r}, which no rule of redaction.policy finds. "
        f"It finds {', '.join(sorted(known))}."
        for name, entity in asked
    ]


def _rule(each: config.SamplingPolicy, makers: "_Makers") -> Rule:
    return Rule(
        makers.make(each),
        drops=isinstance(each, config.Drop),
        otherwise=_otherwise(each),
        floor=_is_floor(each),
        shadow=each.shadow,
        share=_is_share(each),
    )


def _is_share(each: config.SamplingPolicy) -> bool:
    return isinstance(each, plain.Probabilistic | llm.Dynamic) or (
        isinstance(each, config.And) and any(map(_is_share, config.within(each)))
    )


def _is_floor(each: config.SamplingPolicy) -> bool:
    match each:
        case plain.StatusCode():
            return set(each.status_code.status_codes) == {"ERROR"}
        case llm.LlmError() | llm.LlmSafetyBlock() | llm.ToolError():
            return True
    return False


def _otherwise(each: config.SamplingPolicy) -> Because | None:
    kinds = {type(inner) for inner in config.every((each,))}
    if kinds & {plain.RateLimiting, plain.BytesLimiting, config.Composite}:
        return Because.RATE
    return Because.CONVERSATION if llm.Conversation in kinds else None


def _probe(each: config.SamplingPolicy) -> Probe | None:
    match each:
        case plain.StringAttribute():
            text = each.string_attribute
            return TextProbe(text.key, text.values, text.enabled_regex_matching)
        case plain.NumericAttribute():
            number = each.numeric_attribute
            return NumberProbe(number.key, number.min_value, number.max_value)
        case plain.BooleanAttribute():
            return TruthProbe(each.boolean_attribute.key, each.boolean_attribute.value)
        case plain.TraceState():
            return TraceStateProbe(each.trace_state.key, each.trace_state.values)
    return None


def _named_probe(each: config.SamplingPolicy) -> Probe | None:
    try:
        return _probe(each)
    except ProbeError as error:
        raise ProbeError(f"{each.name!r}: {error}") from None


class _Makers:
    """Makes policies; knows the bits of what they look for, and gathers those for conversations."""

    def __init__(self, wanted: Iterable[config.SamplingPolicy], probes: Probes) -> None:
        self.conversations: list[Conversation] = []
        try:
            asked = {id(each): probe for each in config.every(wanted) if (probe := _named_probe(each)) is not None}
            self._bits: Mapping[Probe, int] = probes.use(asked.values())
        except ProbeError as error:
            raise ConfigError([f"sampling.policies: {error}."]) from None
        self._probes = asked

    def make(self, each: config.SamplingPolicy) -> policies.Policy:
        """Make a policy, and those within it."""
        if (probe := self._probes.get(id(each))) is not None:
            return policies.Marked(each.name, self._bits[probe], invert=_inverted(each))
        return self._plain(each) or self._of_llm(each) or self._combined(each)

    def _plain(self, each: config.SamplingPolicy) -> policies.Policy | None:
        match each:
            case plain.AlwaysSample():
                return policies.AlwaysSample(each.name)
            case plain.StatusCode():
                return policies.StatusCode(each.name, frozenset(each.status_code.status_codes))
            case plain.Latency():
                return policies.Latency(each.name, each.latency.threshold_ms, each.latency.upper_threshold_ms)
            case plain.Probabilistic():
                return policies.Probabilistic(each.name, each.probabilistic.sampling_percentage)
            case plain.SpanCount():
                return policies.SpanCount(each.name, each.span_count.min_spans, each.span_count.max_spans)
            case plain.RateLimiting():
                rate = each.rate_limiting.spans_per_second
                saved_up = each.rate_limiting.burst_capacity or 2 * rate
                return rates.RateLimiting(each.name, rates.Bucket(rate, saved_up), "spans")
            case plain.BytesLimiting():
                rate = each.bytes_limiting.bytes_per_second
                saved_up = each.bytes_limiting.burst_capacity or 2 * rate
                return rates.RateLimiting(each.name, rates.Bucket(rate, saved_up), "bytes")
        return None

    def _of_llm(self, each: config.SamplingPolicy) -> policies.Policy | None:
        if (asked := _at_least(each)) is not None:
            return policies.AtLeast(each.name, *asked)
        match each:
            case llm.LlmError():
                return policies.ErrorClassIn(each.name, frozenset(each.llm_error.classes))
            case llm.LlmSafetyBlock():
                return policies.ErrorClassIn(each.name, frozenset({"safety_block"}))
            case llm.Evaluation():
                return policies.ScoreBelow(each.name, each.evaluation.evaluation, each.evaluation.below)
            case llm.Redacted():
                return policies.Redacted(each.name, frozenset(each.redacted.entities), each.redacted.min_values)
            case llm.Dynamic():
                return _dynamic(each)
            case llm.Conversation():
                settings = each.conversation
                made = Conversation(each.name, settings.sampling_percentage, follow=settings.follow)
                self.conversations.append(made)
                return made
        return None

    def _combined(self, each: config.SamplingPolicy) -> policies.Policy:
        inner = tuple(self.make(one) for one in config.within(each))
        match each:
            case config.Not():
                return policies.Not(each.name, inner[0])
            case config.Composite():
                return rates.Composite(each.name, tuple(_shares(each.composite, inner)))
        spends = _otherwise(each) is Because.RATE
        if spends:  # who spends a rate is asked last, so that none is spent on what another does not keep
            by_cost = sorted(
                zip(config.within(each), inner, strict=True), key=lambda two: _otherwise(two[0]) is Because.RATE
            )
            inner = tuple(made for _, made in by_cost)
        return policies.All(each.name, inner, spends=spends)


def _inverted(each: config.SamplingPolicy) -> bool:
    match each:
        case plain.StringAttribute():
            return each.string_attribute.invert_match
        case plain.NumericAttribute():
            return each.numeric_attribute.invert_match
        case plain.BooleanAttribute():
            return each.boolean_attribute.invert_match
    return False


def _at_least(each: config.SamplingPolicy) -> tuple[str, float] | None:
    """Which of the facts of LLM calls a policy asks for, and from where on it keeps a trace."""
    match each:
        case llm.LlmCost():
            return "cost_usd", each.llm_cost.min_usd
        case llm.LlmTokens():
            return "tokens", each.llm_tokens.min_tokens
        case llm.LlmTtft():
            return "ttft_s", each.llm_ttft.threshold_ms / 1000
        case llm.LlmTimePerOutputToken():
            return "time_per_output_token_s", each.llm_time_per_output_token.threshold_ms / 1000
        case llm.LlmRetries():
            return "failed_calls", each.llm_retries.min_failed_calls
        case llm.ThumbsDown():
            return "thumbs_down", 1
        case llm.ToolError():
            return "failed_tools", 1
    return None


def _dynamic(each: llm.Dynamic) -> EmaDynamic:
    settings = each.dynamic
    return EmaDynamic(
        each.name,
        settings.keys,
        settings.goal_sampling_rate,
        adjustment_interval=settings.adjustment_interval,
        weight=settings.weight,
        max_keys=settings.max_keys,
    )


def _shares(settings: config.CompositeSettings, inner: Iterable[policies.Policy]) -> Iterator[rates.Share]:
    by_name = {policy.name: policy for policy in inner}
    percents = {share.policy: share.percent for share in settings.rate_allocation}
    unnamed = len(by_name) - len(percents)
    rest = (100 - sum(percents.values())) / unnamed if unnamed else 0.0
    for name in settings.policy_order:
        rate = settings.max_total_spans_per_second * percents.get(name, rest) / 100
        yield rates.Share(by_name[name], rates.Bucket(rate, rate))

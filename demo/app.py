"""A small chat application: the real OpenAI client, the real OpenTelemetry instrumentation, and careless users.

Every request is a trace: `POST /chat` → perhaps a retrieval or a tool → LLM calls. Content capture is on, so that what
users type stands in spans and log records, as it does in production when somebody needs to debug prompts.
"""

import argparse
import contextlib
import itertools
import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from openai import OpenAI, OpenAIError
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionMessageFunctionToolCall
from opentelemetry import metrics, trace
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id

from demo.conversation import EMBEDDING_MODEL, PROMPTS, SYSTEM_PROMPT, Fate, Question, Shape, questions
from demo.provider import FATE_HEADER, SLOW_HEADER, SLOW_SECONDS, Provider
from demo.telemetry import SERVICE, Telemetry, about_calls, client

SCOPE = "demo.app"
_TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {
        "name": "find_order",
        "description": "Finds an order by what the customer says of it.",
        "parameters": {"type": "object", "properties": {"question": {"type": "string"}}},
    },
}


class ChatApplication:
    """Answers questions; each answer is one trace. Used by several threads at once."""

    def __init__(self, openai: OpenAI, slow_seconds: float = SLOW_SECONDS) -> None:
        self._openai = openai
        self._slow_seconds = slow_seconds
        self._tracer = trace.get_tracer(SCOPE)
        # A metric of the application's own, which the gateway has no reason to touch.
        self._requests = metrics.get_meter(SCOPE).create_counter("shop.chat.requests", "{request}", "Chat requests.")

    def answer(self, question: Question) -> dict[str, Any]:
        """Answer a question, or fail as the provider did; the value is the line of the report about it."""
        attributes = {
            "http.request.method": "POST",
            "url.path": "/chat",
            "user.id": question.user.text,
            "client.address": question.client.text,
        }
        calls: list[str] = []
        with self._tracer.start_as_current_span(
            "POST /chat",
            kind=SpanKind.SERVER,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as root:
            try:
                with about_calls(_known(question)):
                    self._converse(question, calls)
                _judge(question, root)
            except OpenAIError as error:
                # The message quotes the prompt: careless, and what applications do.
                root.record_exception(error)
                root.set_status(StatusCode.ERROR, str(error))
        self._requests.add(1, {"outcome": "failed" if question.fate.failed else "ok"})
        values = (*question.planted, question.user, question.client)
        return {
            "trace_id": format_trace_id(root.get_span_context().trace_id),
            "fate": question.fate,
            "kind": "failed" if question.fate.failed else "slow" if question.fate is Fate.SLOW else "ok",
            "shape": question.shape,
            "feedback": "" if question.fate.failed else question.feedback,
            "marker": question.marker,
            "calls": calls,
            "planted": [{"kind": value.kind, "needles": value.needles} for value in values],
        }

    def _converse(self, question: Question, calls: list[str]) -> None:
        messages: list[Any] = [
            {"role": "system", "content": SYSTEM_PROMPT},
            {"role": "user", "content": question.text},
        ]
        if question.shape is Shape.RETRIEVAL:
            messages.append({"role": "system", "content": self._retrieve(question, calls)})
        elif question.shape is Shape.TOOL:
            messages.extend(self._use_tool(question, messages, calls))
        headers = {FATE_HEADER: question.fate, SLOW_HEADER: str(self._slow_seconds)}
        calls.append(question.model)
        if question.shape is Shape.PLAIN:
            self._openai.chat.completions.create(model=question.model, messages=messages, extra_headers=headers)
            return
        for _ in self._openai.chat.completions.create(
            model=question.model,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            extra_headers=headers,
        ):
            pass  # a real application would send each piece on to its user

    def _retrieve(self, question: Question, calls: list[str]) -> str:
        with self._tracer.start_as_current_span(
            "retrieval faq",
            attributes={"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.query.text": question.text},
        ):
            calls.append(EMBEDDING_MODEL)
            self._openai.embeddings.create(model=EMBEDDING_MODEL, input=question.text, encoding_format="float")
            return "From the questions and answers: repairs take a week."

    def _use_tool(self, question: Question, messages: list[Any], calls: list[str]) -> list[Any]:
        calls.append(question.model)
        asked = self._openai.chat.completions.create(model=question.model, messages=messages, tools=[_TOOL])
        offered = asked.choices[0].message.tool_calls
        assert offered, "the stand-in calls a tool that it is offered"
        call = offered[0]
        assert isinstance(call, ChatCompletionMessageFunctionToolCall)
        with self._tracer.start_as_current_span(
            "execute_tool find_order",
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "find_order",
                "gen_ai.tool.call.id": call.id,
                "gen_ai.tool.call.arguments": call.function.arguments,
            },
        ) as span:
            result = json.dumps({"order": question.marker, "customer": question.user.text, "status": "in repair"})
            span.set_attribute("gen_ai.tool.call.result", result)
        return [
            asked.choices[0].message.model_dump(exclude_none=True),
            {"role": "tool", "tool_call_id": call.id, "content": result},
        ]


def _known(question: Question) -> dict[str, str]:
    prompt = PROMPTS[question.shape]
    return {
        "gen_ai.prompt.name": prompt.template,
        "gen_ai.prompt.version": prompt.version,
        "gen_ai.conversation.id": question.conversation,
        "llm.task_type": prompt.task_type,
    }


def _judge(question: Question, root: trace.Span) -> None:
    """What an evaluation and the user think of the answer."""
    root.add_event(
        "gen_ai.evaluation.result",
        {"gen_ai.evaluation.name": "hallucination", "gen_ai.evaluation.score.value": question.hallucination},
    )
    if question.feedback:
        root.add_event("gen_ai.user.feedback", {"gen_ai.user.feedback": question.feedback})


def run(
    asked: Iterable[Question], application: ChatApplication, *, at_once: int, pause: float, stop: threading.Event
) -> list[dict[str, Any]]:
    """Answer all questions, `at_once` at a time, until they or the patience of `stop` end. In the questions' order."""
    report: list[dict[str, Any]] = []
    with ThreadPoolExecutor(at_once, thread_name_prefix="chat") as pool:
        asked = iter(asked)
        while batch := list(itertools.islice(asked, at_once)):
            report.extend(pool.map(application.answer, batch))
            if stop.wait(pause) if pause else stop.is_set():
                break
    return report


def report_of(answers: list[dict[str, Any]], telemetry: Telemetry) -> dict[str, Any]:
    """What a test needs to know of a run."""
    return {
        "service": SERVICE,
        "requests": answers,
        "calls": dict(Counter(model for answer in answers for model in answer["calls"])),
        "sent": telemetry.sent(),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.app", description=__doc__)
    parser.add_argument("--provider", metavar="URL", help="base URL of the API; without it a stand-in is started")
    parser.add_argument("--requests", type=int, default=0, help="how many; 0 goes on until SIGTERM")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=4, help="requests at a time")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between rounds of requests")
    parser.add_argument("--slow", type=float, default=SLOW_SECONDS, help="seconds that a slow answer takes")
    parser.add_argument("--report", type=Path, help="write a JSON report of the run, with all that was sent")
    options = parser.parse_args(arguments)
    if options.report and not options.requests:
        parser.error("--report needs --requests: a run without end cannot be reported")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    asked = questions(options.seed)
    with contextlib.ExitStack() as stack:
        url = options.provider or stack.enter_context(Provider().serving())
        openai = stack.enter_context(client(url))
        telemetry = Telemetry(keep=options.report is not None)
        application = ChatApplication(openai, options.slow)
        answers = run(
            itertools.islice(asked, options.requests) if options.requests else asked,
            application,
            at_once=options.at_once,
            pause=options.pause,
            stop=stop,
        )
        telemetry.shutdown()
    if options.report:
        options.report.write_text(json.dumps(report_of(answers, telemetry)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

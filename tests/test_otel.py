"""What OpenTelemetry's spans and log records mean, and how feedback meets its interaction whatever it calls it."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_lab.ingest.items import FeedbackItem, InteractionItem, Item, Refused
from feedback_lab.ingest.load import import_file
from feedback_lab.ingest.meaning.item_values import feedback_of, interaction_of
from feedback_lab.ingest.otel import of_log, of_span
from feedback_lab.ingest.otlp import Event, Span, logs_of, spans_of
from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.receiving import Outcome, Status, receive
from feedback_lab.records import utc_now
from feedback_lab.store import Store

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OTHER_TRACE, OTHER_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECOND = 1_000_000_000
START = 1_795_000_000 * SECOND


def span(given: dict[str, Any], *, trace_id: str = TRACE, span_id: str = SPAN, **more: Any) -> Span:
    return Span(trace_id, span_id, "chat heron-1", START, START + 2 * SECOND, given, **more)


def chat(question: str = "Where is my order?", answer: str = "In the post.", **more: Any) -> Span:
    """A span as the GenAI conventions of today write it."""
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind"}]},
        {"role": "user", "parts": [{"type": "text", "content": "Hello"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "Hello!"}]},
        {"role": "user", "parts": [{"type": "text", "content": question}]},
    ]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}]
    given = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "example",
        "gen_ai.request.model": "heron",
        "gen_ai.response.model": "heron-1",
        "gen_ai.response.id": "chatcmpl-123",
        "gen_ai.conversation.id": "conv-7",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps(answered),
    }
    return span(given | more.pop("given", {}), **more)


def evaluation(time: int = START, **attributes: Any) -> Event:
    named = {f"gen_ai.evaluation.{name.replace('_', '.')}": value for name, value in attributes.items()}
    return Event("gen_ai.evaluation.result", time, named)


def interaction_in(given: Span) -> InteractionItem | None:
    found = [item for item in of_span(given).items if isinstance(item, InteractionItem)]
    assert len(found) <= 1
    return found[0] if found else None


def feedback_in(given: Span) -> FeedbackItem:
    (found,) = [item for item in of_span(given).items if isinstance(item, FeedbackItem)]
    return found


def test_a_chat_span_is_an_interaction() -> None:
    made = interaction_in(chat(resource={"service.name": "shop", "deployment.environment.name": "test"}))

    assert made is not None
    assert (made.interaction_id, made.session_id, made.model) == (SPAN, "conv-7", "heron-1")
    assert (made.input, made.output) == ("Where is my order?", "In the post.")
    assert made.created_at == datetime(2026, 11, 18, 11, 6, 40)
    assert made.tags == {"service": "shop", "environment": "test"}
    assert made.metadata["latency_ms"] == 2000
    assert made.metadata["attributes"]["gen_ai.usage.input_tokens"] == 12
    assert "gen_ai.input.messages" not in made.metadata["attributes"]


OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "heron-1",
    "llm.prompt_template.version": "v4",
    "session.id": "s-1",
    "user.id": "ann",
}


@pytest.mark.parametrize(
    "given",
    [
        OPENINFERENCE | {"input.value": "Why?", "output.value": "Because."},
        OPENINFERENCE
        | {
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Be kind",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.content": "Why?",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Because.",
        },
        OPENINFERENCE
        | {
            "input.mime_type": "application/json",
            "input.value": json.dumps({"messages": [{"role": "user", "content": "Why?"}]}),
            "output.mime_type": "application/json",
            "output.value": json.dumps({"choices": [{"message": {"role": "assistant", "content": "Because."}}]}),
        },
    ],
    ids=["values", "messages", "JSON"],
)
def test_an_openinference_span_of_a_model_is_an_interaction(given: dict[str, Any]) -> None:
    made = interaction_in(span(given))

    assert made is not None
    assert (made.input, made.output) == ("Why?", "Because.")
    assert (made.model, made.prompt_version, made.session_id, made.user) == ("heron-1", "v4", "s-1", "ann")


@pytest.mark.parametrize(
    "older",
    [
        span(
            {"gen_ai.operation.name": "chat", "gen_ai.request.model": "heron"},
            events=[
                Event("gen_ai.content.prompt", START, {"gen_ai.prompt": '[{"role": "user", "content": "Why?"}]'}),
                Event("gen_ai.content.completion", START, {"gen_ai.completion": '[{"content": "Because."}]'}),
            ],
        ),
        span(
            {
                "llm.request.type": "chat",
                "gen_ai.request.model": "heron",
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "Why?",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": "Because.",
            }
        ),
    ],
    ids=["events of prompt and completion", "numbered attributes"],
)
def test_older_conventions_are_read_too(older: Span) -> None:
    made = interaction_in(older)

    assert made is not None
    assert (made.input, made.output, made.model) == ("Why?", "Because.", "heron")


@pytest.mark.parametrize(
    "given",
    [
        {"http.request.method": "POST"},
        {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e"},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather"},
        {"openinference.span.kind": "CHAIN", "input.value": "Why?", "output.value": "Because."},
    ],
)
def test_other_spans_say_nothing(given: dict[str, Any]) -> None:
    assert of_span(span(given)) == ([], [])


CHAIN = {"openinference.span.kind": "CHAIN", "input.value": "Why?", "output.value": "Because."}


@pytest.mark.parametrize("given", [CHAIN, {"input.value": "Why?"}, CHAIN | {"openinference.span.kind": "AGENT"}])
def test_a_root_with_a_question_or_an_answer_is_what_people_saw(given: dict[str, Any]) -> None:
    made = interaction_in(span(given, root=True))

    assert made is not None
    assert (made.interaction_id, made.input) == (SPAN, "Why?")


@pytest.mark.parametrize("kind", ["EMBEDDING", "RETRIEVER", "TOOL", "EVALUATOR"])
def test_a_job_that_answers_nobody_is_no_interaction_although_it_is_a_root(kind: str) -> None:
    assert of_span(span(CHAIN | {"openinference.span.kind": kind}, root=True)) == ([], [])


def test_a_root_that_judges_another_span_is_no_interaction() -> None:
    judged = {"annotations.0.annotation.name": "correct", "annotations.0.annotation.label": "pass"}
    carrier = span({"input.value": "Is it right?"} | judged, links=[(OTHER_TRACE, OTHER_SPAN)], root=True)

    assert interaction_in(carrier) is None
    assert feedback_in(carrier).interaction_id == OTHER_SPAN


@pytest.mark.parametrize("parent", [None, "", "0" * 16, OTHER_SPAN])
def test_a_span_without_a_parent_is_a_root_in_otlps_json(parent: str | None) -> None:
    given = {"traceId": TRACE, "spanId": SPAN, "parentSpanId": parent}

    assert [found.root for found in spans_of({"resourceSpans": [{"scopeSpans": [{"spans": [given]}]}]})] == [
        parent != OTHER_SPAN
    ]


def test_feedback_that_names_the_trace_meets_the_root_whose_answer_people_saw(store: Store) -> None:
    root = span(CHAIN, span_id=OTHER_SPAN, root=True)
    store_together(store, [item for found in (root, chat()) for item in of_span(found).items])
    store_together(store, [FeedbackItem(TRACE, "f1", value="up")])

    assert pairs(store) == {"f1": "Why?"}


def test_a_span_that_carries_feedback_is_what_was_judged() -> None:
    judged = {"annotations.0.annotation.name": "user_feedback", "annotations.0.annotation.label": "positive"}
    made = interaction_in(span({"openinference.span.kind": "AGENT", "input.value": "Why?"} | judged))

    assert made is not None
    assert made.input == "Why?"


def test_a_failed_call_keeps_its_error() -> None:
    made = interaction_in(chat(error="timeout"))

    assert made is not None
    assert made.metadata["error"] == "timeout"


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ({"name": "user_feedback", "label": "positive", "score": 1}, ("thumb", "up", None, "user")),
        ({"name": "user_feedback", "score": 0, "annotator_kind": "HUMAN"}, ("thumb", "down", None, "user")),
        ({"name": "user_feedback", "score": 0.8}, ("rating", 0.8, (0.0, 1.0), "user")),
        ({"name": "user_feedback", "score": 4}, ("score:user_feedback", 4, None, "user")),
        ({"name": "correctness", "label": "incorrect", "annotator_kind": "LLM"}, ("thumb", "down", None, "judge")),
        ({"name": "hallucination", "score": 1, "annotator_kind": "LLM"}, ("score:hallucination", 1, None, "judge")),
        ({"name": "length", "score": 812, "annotator_kind": "CODE"}, ("score:length", 812, None, "judge")),
        ({"name": "note", "explanation": "Too long"}, (None, None, None, "user")),
    ],
)
def test_a_judgement_means_what_its_label_or_score_plainly_says(said: dict[str, Any], meaning: tuple[Any, ...]) -> None:
    given = {f"annotations.0.annotation.{name}": value for name, value in said.items()}
    made = feedback_in(chat(given=given))

    assert (made.kind, made.value, made.scale, made.population) == meaning
    assert made.comment == said.get("explanation")
    assert made.metadata["name"] == said["name"]


def test_feedback_of_a_user_is_theirs_and_of_a_judge_the_judges() -> None:
    people = {"annotations.0.annotation.name": "user_feedback", "annotations.0.annotation.label": "positive"}
    judge = {"evaluations.0.evaluation.name": "correct", "evaluations.0.evaluation.label": "pass"}

    assert feedback_in(chat(given=people | {"user.id": "ann"})).user == "ann"
    assert feedback_in(chat(given=judge | {"user.id": "ann"})).user == "judge:correct"


def test_a_carrier_speaks_of_what_it_links_to() -> None:
    given = {"evaluations.0.evaluation.name": "correct", "evaluations.0.evaluation.label": "pass"}
    carrier = span(
        given | {"openinference.span.kind": "EVALUATOR", "input.value": "the judge's own prompt"},
        trace_id=OTHER_TRACE,
        span_id=OTHER_SPAN,
        links=[(TRACE, SPAN)],
    )
    made = feedback_in(carrier)

    assert (made.interaction_id, made.feedback_id) == (SPAN, f"{OTHER_SPAN}/span.evaluations.0")
    assert interaction_in(carrier) is None


def test_feedback_of_wider_scope_goes_to_its_trace_or_session() -> None:
    given = {
        "session.id": "s-1",
        "trace.annotations.0.annotation.name": "user_feedback",
        "trace.annotations.0.annotation.label": "positive",
        "session.annotations.0.annotation.name": "user_mood",
        "session.annotations.0.annotation.label": "good",
    }
    items = of_span(span(given | {"openinference.span.kind": "EVALUATOR"}, links=[(OTHER_TRACE, OTHER_SPAN)])).items

    assert {item.interaction_id for item in items if isinstance(item, FeedbackItem)} == {OTHER_TRACE, "session:s-1"}
    assert InteractionItem("session:s-1", "s-1") in items


def test_an_event_without_a_target_or_a_name_is_a_problem_and_stops_nothing_else() -> None:
    nameless = {"annotations.0.annotation.label": "positive", "annotations.1.annotation.name": "empty"}
    made = of_span(chat(given=nameless))

    assert len(made.items) == 1
    assert [problem.rpartition(" has ")[2] for problem in made.problems] == [
        "no name",
        "no label, score or explanation",
    ]
    assert "names neither" in of_log(evaluation(name="user_feedback", score_value=1)).problems[0]


def test_a_log_record_sent_again_is_the_same_feedback() -> None:
    record = Event("gen_ai.evaluation.result", START, {"gen_ai.evaluation.name": "x", "gen_ai.response.id": "r-1"})
    other = Event("gen_ai.evaluation.result", START + 1, record.attributes)
    ids = [
        item.feedback_id
        for event in (record, record, other)
        for item in of_log(Event(event.name, event.time, event.attributes | {"gen_ai.evaluation.score.value": 1})).items
        if isinstance(item, FeedbackItem)
    ]

    assert len(ids) == 3
    assert len(set(ids)) == 2


def test_otlp_json_is_read_as_the_exporters_write_it_and_nonsense_is_left_out() -> None:
    value = {
        "arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "role", "value": {"stringValue": "user"}}]}}]}
    }
    attributes = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
        {"key": "gen_ai.input.messages", "value": value},
        {"key": "nothing", "value": {}},
        "nonsense",
    ]
    given = {
        "traceId": TRACE.upper(),
        "spanId": SPAN,
        "name": "chat",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": START,
        "attributes": attributes,
        "status": {"code": 2, "message": "timeout"},
        "links": [{"traceId": TRACE, "spanId": SPAN}],
    }
    payload = {"resourceSpans": [{"scopeSpans": [{"spans": [given, 7]}]}, None]}

    (found,) = spans_of(payload)
    assert found.is_valid
    assert (found.trace_id, found.start, found.error) == (TRACE, START, "timeout")
    assert found.attributes["gen_ai.usage.input_tokens"] == 12
    assert found.attributes["gen_ai.input.messages"] == [{"role": "user"}]
    for nonsense in (None, [], 7, {"resourceSpans": 1}, {"resourceLogs": [{"scopeLogs": [{"logRecords": [None]}]}]}):
        assert not list(spans_of(nonsense))
        assert not list(logs_of(nonsense))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMES_OF_ATTRIBUTES = st.sampled_from(
    """openinference.span.kind gen_ai.operation.name gen_ai.input.messages gen_ai.output.messages input.value
    output.value gen_ai.response.id session.id user.id metadata gen_ai.prompt.0.content
    llm.output_messages.9.message.role
    annotations.0.annotation.name annotations.0.annotation.score annotations.0.annotation.label
    annotations.0.annotation.metadata trace.evaluations.1.evaluation.name trace.evaluations.1.evaluation.explanation
    session.annotations.0.annotation.name session.annotations.0.annotation.score gen_ai.evaluation.name
    gen_ai.evaluation.score.value gen_ai.evaluation.score.label""".split()
)
WORDS = st.sampled_from(
    ["LLM", "chat", "EVALUATOR", "user_feedback", "positive", "[{]", '{"messages": [[1]]}', "1e999"]
)
ATTRIBUTES = st.dictionaries(NAMES_OF_ATTRIBUTES, WORDS | JSON, max_size=8)


@given(ATTRIBUTES, ATTRIBUTES, st.booleans(), st.integers(-(2**70), 2**70))
def test_no_attribute_whatever_it_holds_makes_the_translation_raise(
    own: dict[str, Any], noted: dict[str, Any], linked: bool, time: int
) -> None:
    event = Event("gen_ai.evaluation.result", time, noted, TRACE, SPAN)
    given_span = Span(TRACE, SPAN, "x", time, time, own, [event], [(OTHER_TRACE, OTHER_SPAN)] if linked else [])
    items = [*of_span(given_span).items, *of_log(event).items]

    for item in items:
        with contextlib.suppress(Refused):
            if isinstance(item, FeedbackItem):
                feedback_of(item, "k", utc_now())
            elif isinstance(item, InteractionItem):
                interaction_of(item, "k", utc_now())


@given(st.dictionaries(st.sampled_from(["resourceSpans", "resourceLogs"]), JSON | st.just([{"scopeSpans": [{}]}])))
def test_no_json_makes_the_reader_raise(payload: dict[str, Any]) -> None:
    list(spans_of(payload))
    list(logs_of(payload))


def store_together(store: Store, items: Sequence[Item]) -> list[Outcome]:
    return store.write(lambda connection: receive(connection, items, key="k", received_at=utc_now()))


def store_all(store: Store, items: Iterable[Item]) -> list[Status]:
    """Each item in a commit of its own."""
    done = []
    for item in items:
        outcomes = store.write(
            lambda connection, item=item: receive(connection, [item], key="k", received_at=utc_now())
        )
        done += [outcome.status for outcome in outcomes]
    return done


def pairs(store: Store) -> dict[str, str]:
    """What was asked in the interaction that each feedback belongs to."""
    rows = store.rows("SELECT feedback_id, input FROM feedback JOIN interaction USING (interaction_id)")
    return {row["feedback_id"]: row["input"] for row in rows}


NAMES = {"by span": SPAN, "by response": "chatcmpl-123", "by trace": TRACE}


@pytest.mark.parametrize("order", list(itertools.permutations(["call", *NAMES])), ids=lambda order: ", ".join(order))
def test_feedback_after_the_call_meets_it_by_any_name_and_the_first_before_it(
    store: Store, order: tuple[str, ...]
) -> None:
    call = of_span(chat()).items[0]
    items = {"call": call} | {how: FeedbackItem(name, how, value="up") for how, name in NAMES.items()}
    given = [items[one] for one in order]

    assert store_all(store, given) == [Status.NEW] * 4
    assert store_all(store, given) == [Status.DUPLICATE] * 4

    place = order.index("call")
    strongest = [how for how in NAMES if how in order[:place]][:1]
    met = {how for how, asked in pairs(store).items() if asked == "Where is my order?"}
    assert met == {*strongest, *order[place + 1 :]} - (set(order[:place]) - set(strongest))
    assert store.scalar("SELECT count(*) FROM interaction WHERE input IS NOT NULL") == 1


def test_a_call_and_its_feedback_in_one_export_meet_whichever_stands_first(store: Store) -> None:
    first, second = chat(), chat(span_id=OTHER_SPAN, trace_id=OTHER_TRACE, given={"gen_ai.response.id": "r-2"})
    items = [FeedbackItem("chatcmpl-123", "f1", value="up"), *of_span(first).items, *of_span(second).items]
    items.append(FeedbackItem("r-2", "f2", value="up"))
    store_together(store, items)

    assert len(pairs(store)) == 2
    assert None not in pairs(store).values()


def test_two_calls_of_one_trace_stay_two_interactions(store: Store) -> None:
    calls = [chat(), chat("And then?", span_id=OTHER_SPAN, given={"gen_ai.response.id": "chatcmpl-124"})]

    assert store_all(store, [item for call in calls for item in of_span(call).items]) == [Status.NEW] * 2
    assert store_all(store, [FeedbackItem(TRACE, "f1", value="up")]) == [Status.NEW]
    assert pairs(store) == {"f1": "Where is my order?"}


def test_an_interaction_that_came_another_way_under_the_responses_id_is_left_as_it_is(store: Store) -> None:
    own = InteractionItem("chatcmpl-123", input="as the product itself sent it")
    assert store_all(store, [own, *of_span(chat()).items]) == [Status.NEW] * 2
    assert store_all(store, [FeedbackItem("chatcmpl-123", "f1", value="up")]) == [Status.NEW]
    assert pairs(store) == {"f1": "as the product itself sent it"}


@pytest.mark.parametrize(
    "name", [["a list"], {"an": "object"}, 7, None, "", " padded ", "\ud800", "nul\x00", "x" * 501]
)
def test_a_name_that_cannot_be_one_stops_nothing_else(store: Store, name: Any) -> None:
    assert store_all(store, of_span(chat()).items) == [Status.NEW]
    strange = of_span(chat(span_id=OTHER_SPAN, given={"gen_ai.response.id": name})).items
    items = [FeedbackItem(name, "f1", value="up"), FeedbackItem("chatcmpl-123", "f2", value="up"), *strange]

    outcomes = store_together(store, items)
    assert [outcome.status for outcome in outcomes[1:]] == [Status.NEW, Status.NEW]
    assert pairs(store)["f2"] == "Where is my order?"


@pytest.mark.parametrize("details_first", [True, False])
def test_the_details_of_a_call_complete_its_span_in_either_order(store: Store, details_first: bool) -> None:
    bare = of_span(span({"gen_ai.operation.name": "chat", "gen_ai.response.model": "heron-1"})).items
    name = "gen_ai.client.inference.operation.details"
    details = of_log(Event(name, START, chat().attributes, TRACE, SPAN)).items

    assert store_all(store, details + bare if details_first else bare + details) == [Status.NEW] * 2
    (row,) = store.rows("SELECT input, output, created_at FROM interaction")
    assert (row["input"], row["output"]) == ("Where is my order?", "In the post.")
    assert row["created_at"] == datetime(2026, 11, 18, 11, 6, 40)


def test_a_trace_gives_the_same_over_the_wire_and_in_a_file(store: Store, tmp_path: Path) -> None:
    root = {
        "traceId": TRACE,
        "spanId": OTHER_SPAN,
        "endTimeUnixNano": str(START + SECOND),
        "attributes": pairs_of(CHAIN),
    }
    step = {**root, "spanId": SPAN, "parentSpanId": OTHER_SPAN, "endTimeUnixNano": str(START)}
    call = {**step, "spanId": "1" * 16, "attributes": pairs_of(dict(chat().attributes))}
    payload = {"resourceSpans": [{"scopeSpans": [{"spans": [call, step, root]}]}]}
    thumb = {"trace.annotations.0.annotation.name": "user_feedback", "trace.annotations.0.annotation.label": "negative"}
    step["attributes"] = pairs_of(CHAIN | thumb)
    (tmp_path / "traces.jsonl").write_text(json.dumps(payload) + "\n", "utf-8")
    report = import_file(store, tmp_path / "traces.jsonl", Plan())
    assert (report.read, report.new) == (3, 3)
    assert set(pairs(store).values()) == {"Why?"}

    as_collected = sorted(spans_of(payload), key=lambda found: -found.end)
    items = [item for found in as_collected for item in of_span(found).items]
    assert [outcome.status for outcome in store_together(store, items)] == [Status.DUPLICATE] * 3


def test_a_file_of_what_came_over_the_wire_adds_nothing(store: Store, tmp_path: Path) -> None:
    judged = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.label": "relevant"}
    thumb = {"annotations.0.annotation.name": "user_feedback", "annotations.0.annotation.label": "negative"}
    given = {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "chat",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + SECOND),
        "attributes": pairs_of(dict(chat().attributes) | thumb),
        "events": [{"name": "gen_ai.evaluation.result", "timeUnixNano": str(START), "attributes": pairs_of(judged)}],
    }
    payload = {"resourceSpans": [{"scopeSpans": [{"spans": [given]}]}]}
    key = str(store.scalar("SELECT user_key FROM ledger"))
    items = [item for found in spans_of(payload) for item in of_span(found).items]
    sent = store.write(lambda connection: receive(connection, items, key=key, received_at=utc_now()))
    assert [outcome.status for outcome in sent] == [Status.NEW] * 3

    (tmp_path / "traces.jsonl").write_text(json.dumps(payload) + "\n", "utf-8")
    report = import_file(store, tmp_path / "traces.jsonl", Plan())
    assert (report.read, report.new, report.duplicate, report.rejected) == (3, 0, 3, 0)


def pairs_of(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP's JSON lists them."""
    return [
        {"key": name, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
        for name, value in attributes.items()
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"startTimeUnixNano": "--5"},
        {"endTimeUnixNano": 10**390},
        {"attributes": [{"key": f"annotations.{'9' * 5000}.annotation.name", "value": {"stringValue": "user"}}]},
        {"attributes": [{"key": f"llm.input_messages.{'9' * 5000}.message.content", "value": {"stringValue": "q"}}]},
    ],
    ids=["a time of two signs", "a time beyond 64 bits", "an endless number of an annotation", "and of a message"],
)
def test_numbers_that_no_sender_means_do_not_stop_the_span(odd: dict[str, Any]) -> None:
    call = {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}
    given = {"traceId": TRACE, "spanId": SPAN, **odd, "attributes": [call, *odd.get("attributes", [])]}
    (read,) = spans_of({"resourceSpans": [{"scopeSpans": [{"spans": [given]}]}]})
    (item,) = of_span(read).items
    assert isinstance(item, InteractionItem)
    assert interaction_of(item, "key", utc_now()).interaction_id == SPAN


def test_numbers_that_json_cannot_hold_do_not_cost_the_interaction() -> None:
    odd = {"logprob": float("nan"), "parts": [1.0, float("inf")], "metadata": '{"temperature": NaN, "top": 1}'}
    (item,) = of_span(chat(given=odd)).items
    assert isinstance(item, InteractionItem)
    kept = interaction_of(item, "key", utc_now()).metadata["attributes"]
    assert kept["metadata"] == {"temperature": None, "top": 1}
    assert "logprob" not in kept


def test_many_long_attributes_do_not_cost_the_interaction() -> None:
    (item,) = of_span(chat(given={f"note.{number}": "n" * 1_900 for number in range(128)})).items
    assert isinstance(item, InteractionItem)
    assert interaction_of(item, "key", utc_now()).metadata["attributes"]["note.0"] == "n" * 1_900

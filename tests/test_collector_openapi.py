"""The description of the API is true: generated requests, wanted and unwanted, get only what it promises."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from feedback_lab.collector import openapi
from feedback_lab.collector.limits import Buckets
from feedback_lab.keys import Scope
from feedback_lab.store import open_store
from tests.collector_server import Api, serving_collector

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    store = open_store(tmp_path_factory.mktemp("openapi") / "home")
    plenty = Buckets(dict.fromkeys(Scope, (1000000000.0, 1000000000.0)))
    with serving_collector(store, buckets=plenty) as running:
        running.collector.writer._stored = lambda: None  # the rules are no part of this
        yield running
    store.close()


OPERATIONS = [
    ("/v1/health", "get"),
    ("/v1/interactions", "post"),
    ("/v1/feedback", "post"),
    ("/v1/feedback/{feedback_id}", "patch"),
    ("/v1/feedback/{feedback_id}", "get"),
    ("/v1/interactions/{interaction_id}", "get"),
    ("/v1/recall", "get"),
]


@pytest.fixture(scope="module")
def described(api: Api) -> dict[str, Any]:
    document = api.call("GET", "/v1/openapi.json", "read").json()
    assert isinstance(document, dict)
    return document


def test_every_operation_is_tried(described: dict[str, Any]) -> None:
    found = [(path, method) for path, methods in described["paths"].items() for method in methods]
    assert sorted(found) == sorted(OPERATIONS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["wanted", "unwanted"])
def test_every_answer_is_one_that_the_description_promises(
    api: Api, described: dict[str, Any], path: str, method: str, mode: GenerationMode
) -> None:
    operation = schemathesis.openapi.from_dict(described)[path][method.upper()]
    headers = {"Authorization": f"Bearer {api.secrets['read' if method == 'get' else 'ingest']}"}

    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        case.call_and_validate(base_url=f"{api.url}/api", headers=headers, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, "nothing in this operation can be wrong"


def test_the_examples_are_valid_and_are_taken(api: Api) -> None:
    document = api.call("GET", "/v1/openapi.json", "read").json()
    for path in ("/v1/interactions", "/v1/feedback"):
        content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            Draft202012Validator(content["schema"]).validate(example["value"])
            assert api.post(path, example["value"]).status_code in (200, 201)


def test_every_field_of_the_description_is_taken_and_no_other(api: Api) -> None:
    from feedback_lab.collector.records import CHANGEABLE, NAMES
    from feedback_lab.ingest.receiving import FeedbackItem, InteractionItem

    assert openapi.INTERACTION["properties"].keys() == NAMES[InteractionItem]
    assert openapi.FEEDBACK["properties"].keys() == NAMES[FeedbackItem]
    assert openapi.CHANGE["properties"].keys() == CHANGEABLE

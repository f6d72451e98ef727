"""The rules of the house: who may import whom, and how long things get."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "feedback_lab"
MODULES = sorted(PACKAGE.rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))

# The rooms in the order of the data: a room imports from its own line and from those above it.
FLOW = [
    {"records", "errors"},
    {"settings", "published_text", "numerals", "atomic_file", "tokens", "schema", "server_note", "jobs", "workers"},
    {"uploads"},
    {"migrations", "sample", "embedding", "vectors"},
    {"store_engine"},
    {"store"},
    {"audit", "recall"},
    {"ingest", "keys", "verdicts"},
    {"triggers"},
    {"patterns"},
    {"review", "issues"},
    {"knowledge"},
    {"backup_file"},
    {"backup", "doctor", "insights"},
    {"demo", "serving"},
    {"cli"},
    {"collector", "ui", "client"},
    {"__main__"},
]
PLACE = {room: number for number, rooms in enumerate(FLOW) for room in rooms}
DOORS = {"__main__", "cli", "collector", "ui"}
STREAMLIT_ROOMS = {"ui"}
ENGINE_ROOMS = {"store", "store_engine", "schema", "migrations", "ingest"}
# Pure data: the sentences of the sample world.
DATA_MODULES = {PACKAGE / "sample" / "texts.py", PACKAGE / "sample" / "phrases.py"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_no_module_beside_the_entry_point_hides_one_of_the_standard_library() -> None:
    """Streamlit puts that folder first where modules are looked for, and the workers look where the server does."""
    beside = {path.stem for path in (PACKAGE / "ui").glob("*.py")} - {"__init__"}
    assert not beside & sys.stdlib_module_names


def test_every_room_stands_in_the_flow() -> None:
    assert {room_of(path) for path in MODULES} - {"__init__"} == set(PLACE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_upstream(path: Path) -> None:
    here = room_of(path)
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "feedback_lab" and len(parts) > 1 and parts[1] in PLACE and here in PLACE:
            assert PLACE[parts[1]] <= PLACE[here], f"line {line}: {here} imports {parts[1]}, which is downstream"
            assert parts[1] not in DOORS or here in DOORS, f"line {line}: {here} imports the door {parts[1]}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_dashboard_imports_streamlit_and_only_the_store_the_engine(path: Path) -> None:
    for line, name in imports(path):
        root = name.split(".")[0]
        assert root != "streamlit" or room_of(path) in STREAMLIT_ROOMS, f"line {line}"
        assert root != "duckdb" or room_of(path) in ENGINE_ROOMS, f"line {line}"


@pytest.mark.parametrize("path", MODULES + PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_short(path: Path) -> None:
    limit = 120 if path in PAGES else 300
    if path not in DATA_MODULES:
        assert len(path.read_text("utf-8").splitlines()) <= limit


def test_nine_of_ten_functions_are_short_and_none_is_long() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in MODULES + PAGES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert sum(length <= 30 for length in lengths.values()) / len(lengths) >= 0.9
    assert [name for name, length in lengths.items() if length > 50] == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "client").glob("*.py")), ids=lambda path: path.name)
def test_the_client_needs_nothing_but_the_standard_library(path: Path) -> None:
    beside = {module.stem for module in (PACKAGE / "client").glob("*.py")}
    for line, name in imports(path):
        root = name.split(".")[0]
        assert root in sys.stdlib_module_names or root in beside, f"line {line}: {name}"


def test_the_package_works_without_streamlit() -> None:
    code = """
import sys
sys.modules["streamlit"] = None
import feedback_lab.cli
from feedback_lab import demo, knowledge, review
from feedback_lab.insights import summary
from feedback_lab.issues import tracking
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

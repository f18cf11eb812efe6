"""The check of names, `tools/check_language.py`: what it refuses, and that the product passes it."""

import ast
from pathlib import Path

import pytest

from tools.check_language import (
    MOST_VAGUE_NAMES,
    bindings,
    main,
    replaced_names,
    shared_class_names,
    vague_names,
)

ROOT = Path(__file__).parents[1]


def modules(*texts: str) -> dict[Path, ast.Module]:
    return {Path(f"{number}.py"): ast.parse(text) for number, text in enumerate(texts)}


@pytest.mark.parametrize(
    "text",
    [
        "one = 1",
        "told, known = pair",
        "for found in rows: pass",
        "[said for said in lines]",
        "if (meant := parse()): pass",
        "def record(one): pass",
        "lambda told: told",
        "with open() as found: pass",
        "try: pass\nexcept ValueError as said: pass",
        "match row:\n    case {'key': known}: pass",
        "one: int = 1",
    ],
)
def test_each_way_to_bind_a_vague_name_is_counted(text: str) -> None:
    module = modules(text)
    names = {name for tree in module.values() for name, _ in bindings(tree)}
    assert names & {"one", "told", "known", "found", "said", "meant"}


def test_uses_and_keyword_arguments_are_not_counted() -> None:
    (module,) = modules("print(one, found=1); row.told").values()
    assert list(bindings(module)) == []


def test_a_few_vague_names_are_let_pass_and_forty_are_not() -> None:
    assert vague_names(modules("one = 1\n" * (MOST_VAGUE_NAMES - 1))) == []
    problems = vague_names(modules("one = 1\n" * MOST_VAGUE_NAMES))
    assert problems[0] == "0.py:1: call `one` by what it holds"
    assert problems[-1].startswith("40 variables")


@pytest.mark.parametrize("text", ["class Door: pass", "def work_off(): pass", "def read(nobody): pass"])
def test_names_of_the_past_are_refused(text: str) -> None:
    assert len(list(replaced_names(modules(text)))) == 1


def test_two_public_classes_of_one_name_are_refused() -> None:
    (problem,) = shared_class_names(modules("class Place: pass", "class Place: pass", "class _Row: pass"))
    assert problem == "Place is the name of 2 classes: 0.py:1, 1.py:1"
    assert list(shared_class_names(modules("class _Row: pass", "class _Row: pass"))) == []


def test_the_product_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ROOT) == 0, capsys.readouterr().out

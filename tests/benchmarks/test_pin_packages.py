from __future__ import annotations

from email.message import Message

import pytest
import yaml

from benchmarks.pin_packages import Pin, is_permissive, licence_of, recipe_text


def metadata(**headers: str) -> Message:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ({"License_Expression": "MIT OR Apache-2.0"}, "MIT OR Apache-2.0"),
        ({"License_Expression": "MPL-2.0 AND MIT"}, None),
        ({"License": "BSD"}, "BSD-3-Clause"),
        ({"Classifier": "License :: OSI Approved :: Apache Software License"}, "Apache-2.0"),
        ({"Classifier": "License :: OSI Approved :: MIT License", "License": "LGPL"}, None),
        ({"License": "Proprietary"}, None),
        ({}, None),
    ],
)
def test_only_permissive_licences_count(headers: dict[str, str], licence: str | None) -> None:
    assert licence_of(metadata(**headers)) == licence


def test_every_part_of_an_expression_must_be_permissive() -> None:
    assert is_permissive("(MIT OR Apache-2.0) AND BSD-3-Clause")
    assert not is_permissive("MIT OR GPL-3.0-only")
    assert not is_permissive("")


def test_the_recipe_is_the_same_for_the_same_seed() -> None:
    packages = [Pin(f"p{i:02}", "1", "MIT", "0" * 64) for i in range(30)]
    text = recipe_text("toy", packages, seed=1)
    assert text == recipe_text("toy", packages, seed=1) != recipe_text("toy", packages, seed=2)
    split = yaml.safe_load(text)["split"]
    assert len(split["validation"].split()) == len(split["test"].split()) == 3

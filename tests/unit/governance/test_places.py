"""A mistake in a policy is shown at the line and column where it stands."""

import pytest

from ai_agent_mesh.product.governance import PolicyInvalid
from ai_agent_mesh.product.governance.places import findings, schema_text
from ai_agent_mesh.product.governance.rules import checked

INVOKE = 'permit (principal, action == Mesh::Action::"invokeAgent", resource)\nwhen {{\n  {}\n}};'

MISTAKES = [
    ("permit (principal, action\n resource);", (2, 2), "unexpected token"),
    ("permit (principal, action, resource) when {\n 1 + };", (2, 6), "unexpected token"),
    ("permit (principal,\n  action,\n  resource) whn { true };", (3, 13), "invalid policy cond"),
    ("deny (principal, action, resource);", (1, 1), "invalid policy effect"),
    ("permit (principal, action, resource", (1, 36), "unexpected end of input"),
    ('permit (principal, action, resource) when {\n  "abc };', (2, 3), "invalid token"),
    ("permit (principal, action == resource, resource);", (1, 30), "expected an entity uid"),
    ("permit (principal, action, resource) when { unknown };", (1, 45), "invalid variable"),
    ("permit (resource, action, principal);", (1, 9), "variable `resource`"),
    (
        "permit (principal, action, resource) when { 99999999999999999999 > 1 };",
        (1, 45),
        "number too large",
    ),
    (INVOKE.format("resource.nme == 3"), (3, 12), "attribute `nme`"),
    (INVOKE.format("resource.name > 3"), (3, 3), "expected Long but saw String"),
    (INVOKE.format('context.hour < 3 &&\n  1 + "a" == 2'), (4, 7), "expected Long but saw String"),
    (INVOKE.format('context.tier == "free" && context.foo == 3'), (3, 37), "attribute `foo`"),
    (INVOKE.format("principal is Mesh::Robot"), (3, 16), "unrecognized entity type"),
    (INVOKE.format('resource in Mesh::Agnt::"x"'), (3, 15), "unrecognized entity type"),
    (INVOKE.format('resource.getTag("a") == "x"'), (3, 19), "safety of access to tag"),
    (
        INVOKE.format('principal is Mesh::Workflow && principal.startedBy.role == "x"'),
        (3, 44),
        "optional attribute `startedBy`",
    ),
    (
        'permit (principal, action == Mesh::Action::"nope", resource);',
        (1, 30),
        "unrecognized action",
    ),
    ('// é✓\npermit (principal, action, resource) when { "é" > 1 };', (2, 45), "expected Long"),
    (
        "permit (principal, action, resource);\n\nforbid (principal, action, resource);",
        (3, 1),
        "one statement",
    ),
    ("permit (principal == ?principal, action, resource);", (1, 22), "placeholders"),
    ("", (1, 1), "one permit or forbid"),
    ("// nothing but a comment", (1, 1), "one permit or forbid"),
]


@pytest.mark.parametrize(("text", "place", "words"), MISTAKES)
def test_a_mistake_is_shown_where_it_stands(text: str, place: tuple[int, int], words: str) -> None:
    found = findings(text)
    assert any((each.line, each.column) == place and words in each.message for each in found), found


def test_every_mistake_is_reported_at_once() -> None:
    text = INVOKE.format('resource.nme == "x" && resource.name > 3 && context.colour == "red"')
    columns = {each.column for each in findings(text)}
    assert columns == {12, 26, 55}


def test_the_second_of_two_equal_mistakes_is_shown_too() -> None:
    text = INVOKE.format('resource.nme == "x" || resource.nme == "y"')
    assert [each.column for each in findings(text)] == [12, 35]


def test_a_guarded_access_is_no_mistake() -> None:
    text = INVOKE.format(
        "principal is Mesh::Workflow && principal has startedBy &&"
        ' principal.startedBy.role == "owner"'
    )
    assert findings(text) == []


def test_the_search_for_a_place_is_bounded() -> None:
    """A long text with a mistake is answered, if only with the place of its statement."""
    members = ",".join(f'"a{number}"' for number in range(2_000))
    text = (
        "permit (principal, action, resource) when { "
        f'[{members}].contains("x") && 3 + "x" == 4 }};'
    )
    assert len(findings(text)) == 1


def test_names_lengths_and_annotations_are_checked_with_the_text() -> None:
    with pytest.raises(PolicyInvalid) as raised:
        checked("Not a name", "permit (principal, action);", "x" * 1_001)
    places = [fault.place for fault in raised.value.faults]
    assert places == ["name", "description", "text:1:27"]


def test_an_annotation_id_must_be_the_name() -> None:
    text = '@id("other")\npermit (principal, action, resource);'
    with pytest.raises(PolicyInvalid) as raised:
        checked("mine", text)
    assert "must be mine" in raised.value.faults[0].reason
    assert checked("other", text).annotations["id"] == "other"


def test_the_schema_is_readable_and_names_every_action() -> None:
    for word in ("invokeAgent", "callHttp", "startRun"):
        assert f"action {word}" in schema_text()

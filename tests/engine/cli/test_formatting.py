"""Templates, tables, sizes and times as Docker prints them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_helpers.engine.cli.gofunctions import TemplateError
from labs_helpers.engine.cli.gotemplate import Template
from labs_helpers.engine.cli.tables import columns
from labs_helpers.engine.cli.units import human_binary, human_size, since

DATA = {
    "Id": "sha256:0123456789abcdef",
    "Tags": ["one", "two"],
    "Config": {"Labels": {"b": "2", "a": "1 <x>"}, "Env": None},
    "Size": 7,
    "Yes": True,
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{.Id}}", "sha256:0123456789abcdef"),
        ("{{ .Config.Labels }} {{.Tags}} {{.Config.Env}}", "map[a:1 <x> b:2] [one two] <no value>"),
        ('{{index .Config.Labels "a"}}{{index .Tags 1}}', "1 <x>two"),
        ("{{json .Config.Labels}}", '{"b":"2","a":"1 <x>"}'),
        ('{{join .Tags ","}} {{len .Tags}} {{upper .Id | printf "%.6s"}}', "one,two 2 SHA256"),
        ("{{range .Tags}}<{{.}}>{{else}}none{{end}}", "<one><two>"),
        ("{{range $i, $tag := .Tags}}{{$i}}={{$tag}} {{end}}", "0=one 1=two "),
        ("{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}};{{end}}", "a:1 <x>;b:2;"),
        ("{{range .Config.Env}}x{{else}}none{{end}}", "none"),
        ("{{if .Yes}}y{{else}}n{{end}}{{if not .Yes}}y{{else if .Size}}s{{end}}", "ys"),
        ("{{with .Config}}{{.Labels.b}}{{end}}", "2"),
        ("{{(index .Tags 0)}} {{slice .Id 7 11}}", "one 0123"),
        ("a {{- .Size -}} b", "a7b"),
        ("{{/* a comment */}}{{$x := .Size}}{{$x}}{{`raw`}}{{true}}", "7rawtrue"),
        ('{{if and (eq .Size 7) (ne .Id "")}}ok{{end}}', "ok"),
    ],
)
def test_a_template_renders_as_gos(template: str, expected: str) -> None:
    assert Template(template).render(DATA) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Id", "template: :1: unclosed action"),
        ("{{bogus .Id}}", 'template: :1: function "bogus" not defined'),
        ("{{.Bogus}}", 'executing "" at <.Bogus>: map has no entry for key "Bogus"'),
        ("{{range .Tags}}", "unexpected EOF"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{}}", "missing value for command"),
        ("{{index .Tags 9}}", "index out of range: 9"),
        ("{{print ge}}", 'executing "" at <ge>: error calling ge'),
        ("{{$nope}}", 'undefined variable "$nope"'),
    ],
)
def test_a_wrong_template_says_what_is_wrong(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template(template).render(DATA)
    assert message in str(caught.value)


@given(st.text("{}.$|()\"' ,abIdTags0=:rangeifwithenjso-"))
def test_any_template_gives_text_or_a_template_error(text: str) -> None:
    with contextlib.suppress(TemplateError):
        assert isinstance(Template(f"{{{{{text}}}}}").render(DATA), str)


def test_columns_are_at_least_ten_wide_and_the_last_is_not_padded() -> None:
    rows = [["REPOSITORY", "TAG", "SIZE"], ["demo-app", "latest", "7B"]]
    assert columns(rows) == "REPOSITORY   TAG       SIZE\ndemo-app     latest    7B\n"


@pytest.mark.parametrize(
    ("size", "digits", "text"),
    [
        (0, 3, "0B"),
        (999, 3, "999B"),
        (5632, 4, "5.632kB"),
        (7_264_000, 3, "7.26MB"),
        (10**9, 3, "1GB"),
    ],
)
def test_sizes(size: int, digits: int, text: str) -> None:
    assert human_size(size, digits) == text


def test_binary_sizes() -> None:
    assert human_binary(25_275_000_000) == "23.54GiB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *[(0, "Less than a second ago"), (1, "1 second ago"), (59, "59 seconds ago")],
        *[(60, "About a minute ago"), (300, "5 minutes ago"), (3600, "About an hour ago")],
        *[(86400, "24 hours ago"), (3 * 86400, "3 days ago"), (21 * 86400, "3 weeks ago")],
        *[(90 * 86400, "3 months ago"), (1000 * 86400, "2 years ago")],
    ],
)
def test_ages(seconds: int, text: str) -> None:
    assert since(1000, 1000 + seconds) == text

"""Texts in drawings are shown as they are written, whatever a front end makes of their signs."""

from __future__ import annotations

import pytest

from labs_helpers.display.rendering import framed, paragraph, rows_html, spelled, table


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "plain"),
        ("<b> & \"c\" 'd'", "&lt;b&gt; &amp; &quot;c&quot; &#x27;d&#x27;"),
        ("$A and $B", "<span>$</span>A and <span>$</span>B"),
        (r"\(x\) \[y\]", r"<span>\</span>(x<span>\</span>) <span>\</span>[y<span>\</span>]"),
        ("`docker push $A`", "<code>docker push $A</code>"),
        ("`a` $B `<c>`", "<code>a</code> <span>$</span>B <code>&lt;c&gt;</code>"),
        ("one ` alone", "one ` alone"),
        ("``", "``"),
        ("`a\nb`", "`a\nb`"),
    ],
)
def test_a_text_as_html(text: str, html: str) -> None:
    assert spelled(text) == html


def test_every_part_of_a_drawing_spells_its_texts() -> None:
    text = "$A `b` $C"
    for html in (
        paragraph(text).html,
        rows_html([(text, text)]),
        table((text,), [(text,)]).html,
        framed("red", text, ""),
    ):
        assert "$A" not in html
        assert html.count("<code>b</code>") == html.count("<span>$</span>C") > 0


def test_the_text_form_stays_as_written() -> None:
    assert paragraph("$A `b`").text == "$A `b`"
    assert "$A `b`" in table(("$A `b`",), []).text

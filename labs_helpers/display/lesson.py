"""A lab's quiz questions, and its list of differences from AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from labs_helpers.display.rendering import BAD, GOOD, Rendering, columns, framed, paragraph


@dataclass(frozen=True)
class Choice:
    """One answer to choose; ``says`` explains why it is right or wrong."""

    text: str
    says: str


@dataclass(frozen=True)
class Question:
    """A multiple-choice question.

    ``id`` is, for example, "05.q1"; ``right`` is the key of the right one of the ``choices``.
    """

    id: str
    question: str
    right: str
    choices: Mapping[str, Choice]

    def answer(self, letter: str) -> Rendering:
        """Whether the choice is right, and why; a letter without a choice gets the valid ones."""
        key = letter.strip().lower()
        if key not in self.choices:
            return paragraph(f"{self.id}: choose one of {', '.join(self.choices)}")
        chosen, right = self.choices[key], key == self.right
        head = f"{'✓ right' if right else '✗ not this one'}: {key}) {chosen.text}"
        return Rendering(
            f"{head}\n  {chosen.says}",
            framed(GOOD if right else BAD, head, escape(chosen.says)),
        )


class QuizForm:
    """A question as a cell shows it: in JupyterLab a button for each choice, elsewhere text."""

    def __init__(self, question: Question) -> None:
        self._question = question

    def __repr__(self) -> str:
        choices = [(f"{key})", choice.text) for key, choice in self._question.choices.items()]
        return (
            f"{self._question.question}\n{columns(choices, 2)}\n"
            f'answer with  lab.quiz("{self._question.id}", "{next(iter(self._question.choices))}")'
        )

    def _repr_html_(self) -> str:
        items = "".join(
            f"<div>{escape(key)}) {escape(choice.text)}</div>"
            for key, choice in self._question.choices.items()
        )
        how = f'answer with <code>lab.quiz("{self._question.id}", "...")</code>'
        return f"<div><b>{escape(self._question.question)}</b>{items}<div>{how}</div></div>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        plain = {"text/plain": repr(self), "text/html": self._repr_html_()}
        return {**self._widget()._repr_mimebundle_(), **plain}

    def _widget(self) -> Any:
        import ipywidgets

        wide = ipywidgets.Layout(width="auto", max_width="60em")
        feedback = ipywidgets.HTML()
        title = ipywidgets.HTML(f"<b>{escape(self._question.question)}</b>")
        buttons = []
        for key, choice in self._question.choices.items():
            button = ipywidgets.Button(description=f"{key}) {choice.text}", layout=wide)
            button.style.text_align = "left"
            button.on_click(self._on_click(key, feedback))
            buttons.append(button)
        return ipywidgets.VBox([title, *buttons, feedback])

    def _on_click(self, key: str, feedback: Any) -> Callable[[object], None]:
        def show_answer(_: object) -> None:
            # a callback sets a value: what it prints would appear below any cell
            feedback.value = self._question.answer(key).html

        return show_answer


def differences(entries: Sequence[tuple[str, str, str]]) -> Rendering:
    """A list of differences from AWS, each (here, on AWS, source URL)."""
    if not entries:
        return paragraph("Nothing in this lab is known to differ from AWS.")
    text = "\n\n".join(
        columns([("here", here), ("on AWS", on_aws), ("source", source)])
        for here, on_aws, source in entries
    )
    rows = "".join(
        f'<tr><td style="text-align:left">{escape(here)}</td>'
        f'<td style="text-align:left">{escape(on_aws)} '
        f'<a href="{escape(source)}" target="_blank" rel="noopener">source</a></td></tr>'
        for here, on_aws, source in entries
    )
    html = (
        "<table><thead><tr><th style='text-align:left'>here</th>"
        f"<th style='text-align:left'>on AWS</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    return Rendering(text, html)

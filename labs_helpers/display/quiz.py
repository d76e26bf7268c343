"""A multiple-choice question: buttons in JupyterLab, plain text everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from labs_helpers.display.shown import BAD, GOOD, Shown, columns, framed


@dataclass(frozen=True)
class Choice:
    """One answer and why it is right or wrong."""

    text: str
    says: str


@dataclass(frozen=True)
class Question:
    """``right`` is a key of ``choices``; ``id`` such as "05.q1"."""

    id: str
    question: str
    right: str
    choices: Mapping[str, Choice]

    def answer(self, letter: str) -> Shown:
        """What choosing ``letter`` teaches; a letter that is no choice is asked for again."""
        key = letter.strip().lower()
        if key not in self.choices:
            asked = f"{self.id}: choose one of {', '.join(self.choices)}"
            return Shown(asked, f"<p>{escape(asked)}</p>")
        chosen, right = self.choices[key], key == self.right
        head = f"{'✓ right' if right else '✗ not this one'}: {key}) {chosen.text}"
        return Shown(
            f"{head}\n  {chosen.says}",
            framed(GOOD if right else BAD, head, escape(chosen.says)),
        )


class Asked:
    """A question on show. In JupyterLab it has a button a choice; elsewhere it is text."""

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
        said = ipywidgets.HTML()
        title = ipywidgets.HTML(f"<b>{escape(self._question.question)}</b>")
        buttons = []
        for key, choice in self._question.choices.items():
            button = ipywidgets.Button(description=f"{key}) {choice.text}", layout=wide)
            button.style.text_align = "left"
            button.on_click(self._answering(key, said))
            buttons.append(button)
        return ipywidgets.VBox([title, *buttons, said])

    def _answering(self, key: str, said: Any) -> Any:
        def clicked(_: object) -> None:
            # a callback sets a value and prints nothing: output of a callback lands anywhere
            said.value = self._question.answer(key)._repr_html_()

        return clicked

"""A lab's quiz questions, and its list of differences from AWS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from labs_helpers.display.rendering import (
    GOOD,
    WARN,
    Rendering,
    columns,
    framed,
    paragraph,
    spelled,
)


@dataclass(frozen=True)
class Choice:
    """One answer to choose; ``says`` explains why it is right or wrong."""

    text: str
    says: str


@dataclass(frozen=True)
class Question:
    """A multiple-choice question.

    ``id`` is, for example, "05.q1"; ``right`` is the key of the right one of the ``choices``. A
    prediction, "05.p1", is compared below the cell ``shown_by``, which shows what happens; a
    question of a quiz has none and is judged at once. ``after``: the cells that have to run before
    that one. ``may_fail``: whether that cell shows what happens by failing, too.
    """

    id: str
    question: str
    right: str
    choices: Mapping[str, Choice]
    shown_by: str = ""
    after: tuple[str, ...] = ()
    may_fail: bool = False

    @property
    def method(self) -> str:
        """The method of ``lab`` that asks this question."""
        return "predict" if self.shown_by else "quiz"

    def call(self, letter: str) -> str:
        """What a learner types to answer."""
        return f'lab.{self.method}("{self.id}", "{letter}")'

    def key(self, letter: object) -> str | None:
        """The key of the choice that the learner means by ``letter``; None when there is none."""
        key = letter.strip().lower() if isinstance(letter, str) else ""
        return key if key in self.choices else None

    def unknown(self) -> Rendering:
        """What is said of a letter that no choice has, or of what is no letter."""
        listed = ", ".join(self.choices)
        example = self.call(next(iter(self.choices)))
        return paragraph(f"{self.id}: choose one of {listed}, in quotes, as in  {example}")

    def judged(self, key: str) -> Rendering:
        """Whether the choice ``key`` is right, and why."""
        chosen, right = self.choices[key], key == self.right
        if self.shown_by:
            found = "✓ as the lesson shows" if right else "✗ the lesson shows something else"
            head = f"You predicted {key}) {chosen.text}: {found}"
        else:
            head = f"{'✓ right' if right else '✗ not this one'}: {key}) {chosen.text}"
        return Rendering(
            f"{head}\n  {chosen.says}",
            framed(GOOD if right else WARN, head, spelled(chosen.says)),
        )

    def kept(self, key: str) -> Rendering:
        """What is said of a prediction until the cell has run that shows what happens."""
        chosen = self.choices[key].text
        return paragraph(f"Kept: {key}) {chosen}. Run the next cells: they show what happens.")

    def too_early(self) -> Rendering:
        """What is said below the cell that shows what happens, without the cells of ``after``."""
        return paragraph(
            f"Your prediction {self.id} is compared later: run the cells between the prediction "
            "and this one in their order, then this one again."
        )


def form(question: Question, earlier: str = "") -> Rendering:
    """A question and its choices; ``earlier`` is the key of the learner's last answer, if any.

    In HTML each choice opens, by mouse or keyboard, and needs neither a kernel nor a widget to do
    so; a kernel that runs keeps the answer. Of a quiz the choice holds what the choice teaches.
    """
    rows = [(f"{key})", choice.text) for key, choice in question.choices.items()]
    how = f"answer with  {question.call(next(iter(question.choices)))}"
    said = f"you answered {earlier}" if earlier else ""
    text = "\n".join(filter(None, (question.question, columns(rows, 2), how, said)))
    items = "".join(_choice(question, key) for key in question.choices)
    name = escape(question.question.replace("`", ""))
    html = (
        f'<div data-labs-question="{escape(question.id)}" role="group" '
        f'aria-label="{name}" style="max-width:60em">'
        f"<p><b>{spelled(question.question)}</b></p>{items}"
        f'<p><span data-labs-answered="">{escape(said.capitalize() + ". " if said else "")}</span>'
        "Open an answer, or run "
        f"<code>{escape(question.call('a'))}</code> with its letter.</p>"
        f"<script>{KEEP}</script></div>"
    )
    return Rendering(text, html)


def _choice(question: Question, key: str) -> str:
    choice = question.choices[key]
    if question.shown_by:
        inner = f"To keep this answer, run <code>{escape(question.call(key))}</code>"
    else:
        inner = question.judged(key).html
    return (
        f'<details name="{escape(question.id)}" data-labs-answer="{escape(key)}" '
        'style="border:1px solid var(--jp-border-color2);border-radius:3px;margin:3px 0;'
        'padding:4px 10px"><summary style="cursor:pointer">'
        f"{escape(key)}) {spelled(choice.text)}</summary>"
        f'<div data-labs-says="" aria-live="polite">{inner}</div></details>'
    )


KEEP = "".join(
    line.strip()
    for line in """
(() => {
  const at = document.currentScript;
  const roots = at ? [at.closest("[data-labs-question]")]
    : document.querySelectorAll("[data-labs-question]");
  const kernelOf = root => window.jupyterapp && [...window.jupyterapp.shell.widgets("main")]
    .find(widget => widget.node.contains(root))?.sessionContext?.session?.kernel;
  const says = (root, one) => {
    if (root.dataset.labsQuestion.includes(".p"))
      one.querySelector("[data-labs-says]").textContent =
        "Kept. Run the next cells: they show what happens.";
  };
  const restore = async root => {
    let kernel;
    for (let tries = 0; tries < 60 && !(kernel = kernelOf(root)); tries++)
      await new Promise(done => setTimeout(done, 500));
    if (!kernel) return;
    const given = JSON.stringify(root.dataset.labsQuestion);
    const asked = kernel.requestExecute({
      code: "", silent: true, store_history: false, allow_stdin: false,
      user_expressions: {
        last: `__import__("labs_helpers.answers").answers.kept(${given})`,
      },
    });
    const found = (await asked.done).content.user_expressions?.last?.data?.["text/plain"];
    const one = root.querySelector(`details[data-labs-answer=${found?.replaceAll("'", '"')}]`);
    if (!one || root.querySelector("details[open]")) return;
    one.dataset.labsRestored = "";
    one.open = true;
    says(root, one);
    const answered = root.querySelector("[data-labs-answered]");
    if (answered) answered.textContent = `You answered ${one.dataset.labsAnswer}. `;
  };
  for (const root of roots) {
    for (const one of root.querySelectorAll("details")) {
      one.addEventListener("toggle", async () => {
        const kernel = one.open && kernelOf(root);
        if (!kernel) return;
        if ("labsRestored" in one.dataset) { delete one.dataset.labsRestored; return; }
        const given = JSON.stringify([root.dataset.labsQuestion, one.dataset.labsAnswer]);
        const asked = kernel.requestExecute({
          code: `from labs_helpers.answers import keep; keep(*${given})`,
          silent: true, store_history: false, allow_stdin: false,
          user_expressions: {},
        });
        if ((await asked.done).content.status === "ok") says(root, one);
      });
    }
    if (window.jupyterapp) restore(root);
  }
})();
""".splitlines()
)
"""Sends the learner's choice to the notebook's kernel, in JupyterLab as `labs lab` starts it. When
the output is drawn, also after a reload, opens the choice that is in the learner's journal.

``window.jupyterapp`` is there by ``LabApp.expose_app_in_browser``:
https://jupyterlab.readthedocs.io/en/stable/extension/extension_dev.html
"""


def differences(entries: Sequence[tuple[str, str, str]]) -> Rendering:
    """A list of differences from AWS, each (here, on AWS, source URL)."""
    if not entries:
        return paragraph("Nothing in this lab is known to differ from AWS.")
    text = "\n\n".join(
        columns([("here", here), ("on AWS", on_aws), ("source", source)])
        for here, on_aws, source in entries
    )
    rows = "".join(
        f'<tr><td style="text-align:left">{spelled(here)}</td>'
        f'<td style="text-align:left">{spelled(on_aws)} '
        f'<a href="{escape(source)}" target="_blank" rel="noopener">source</a></td></tr>'
        for here, on_aws, source in entries
    )
    html = (
        "<table><thead><tr><th style='text-align:left'>here</th>"
        f"<th style='text-align:left'>on AWS</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    return Rendering(text, html)

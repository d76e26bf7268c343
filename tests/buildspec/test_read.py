"""Right and wrong buildspecs: what is read, and each problem by line, key and advice."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_helpers.buildspec import BuildspecError, Problem, read
from labs_helpers.buildspec.model import OnFailure, SecretReference

HEAD = "version: 0.2\nphases:\n"
BUILD = "version: 0.2\nphases: {build: {commands: [make]}}\n"

EVERY_KEY = """\
version: 0.2
run-as: root
env:
  shell: bash
  variables: {JAVA_HOME: /usr/lib/jvm, DEBUG: yes, LEVEL: 0.10, EMPTY: }
  parameter-store: {PASSWORD: /CodeBuild/password}
  secrets-manager:
    TOKEN: app:token:AWSCURRENT:version-1
    WHOLE: arn:aws:secretsmanager:us-west-2:123456789012:secret:app-AbCdEf:key
  exported-variables: [TAG]
  git-credential-helper: yes
proxy: {upload-artifacts: no, logs: yes}
batch: {fast-fail: false, build-list: [{identifier: a}]}
phases:
  install:
    run-as: root
    on-failure: RETRY-2-timed? out
    runtime-versions: {python: 3.13, java: corretto21}
    commands: [a]
    finally: [b]
  pre_build: {on-failure: RETRY, commands: c}
  build: {on-failure: ABORT, commands: [d, e], finally: f}
  post_build: {on-failure: CONTINUE, commands: [g]}
reports:
  unit: {files: '**/*', file-format: JUNITXML, base-directory: out, discard-paths: yes}
  arn:aws:codebuild:us-west-2:123456789012:report-group/x: {files: [a.xml], file-format: JunitXml}
artifacts:
  files: [imagedefinitions.json]
  name: app-$(date +%F)
  discard-paths: yes
  base-directory: out
  exclude-paths: [secret/**]
  enable-symlinks: no
  s3-prefix: builds
  secondary-artifacts:
    docs: {files: ['**/*'], base-directory: docs, name: docs}
cache:
  key: npm-$(codebuild-hash-files package-lock.json)
  fallback-keys: [npm-]
  action: restore
  paths: /root/.m2/**/*
"""


def problems(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(BuildspecError) as raised:
        read(text)
    return raised.value.problems


def texts(text: str, phase: str = "build") -> list[str]:
    return [command.text for command in read(text).phases[phase].commands]


def test_every_key_of_the_reference_is_read() -> None:
    spec = read(EVERY_KEY)
    env, install = spec.environment, spec.phases["install"]
    assert env.variables == {
        "JAVA_HOME": "/usr/lib/jvm",
        "DEBUG": "yes",
        "LEVEL": "0.10",
        "EMPTY": "",
    }
    assert env.parameters == {"PASSWORD": "/CodeBuild/password"}
    assert env.secrets["TOKEN"] == SecretReference("app", "token", "AWSCURRENT", "version-1")
    arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:app-AbCdEf"
    assert env.secrets["WHOLE"] == SecretReference(arn, "key")
    assert (env.shell, env.exported, spec.run_as) == ("bash", ("TAG",), "root")
    assert [command.text for command in (*install.commands, *install.last)] == ["a", "b"]
    assert install.on_failure == OnFailure("RETRY", 2, "timed? out")
    assert spec.phases["pre_build"].on_failure == OnFailure("RETRY", 3)
    assert spec.artifacts
    assert spec.artifacts.files == ("imagedefinitions.json",)
    assert spec.artifacts.exclude == ("secret/**",)
    assert spec.artifacts.discard_paths
    assert spec.secondary["docs"].base_directory == "docs"
    assert spec.batch_line == 13


def test_keys_that_would_have_no_effect_here_are_listed_by_line() -> None:
    listed = [(each.line, each.path) for each in read(EVERY_KEY).not_done]
    assert listed == [
        (11, "env/git-credential-helper"),
        (12, "proxy"),
        (18, "phases/install/runtime-versions"),
        (24, "reports"),
        (29, "artifacts/name"),
        (33, "artifacts/enable-symlinks"),
        (34, "artifacts/s3-prefix"),
        (36, "artifacts/secondary-artifacts/docs/name"),
        (37, "cache"),
    ]


@pytest.mark.parametrize(
    ("commands", "read_as"),
    [
        ("commands: echo x", ["echo x"]),
        ("commands: [false, 1, 0.10, yes, 2026-11-28, 0x1F]", None),
        ("commands:\n      - false\n      - 8", ["false", "8"]),
        ("commands: |\n      a\n      b", ["a\nb\n"]),
        ("commands: >\n      a\n      b", ["a b\n"]),
        ("commands:\n      -\n      - ~\n      - a", ["a"]),
        ("commands: ", []),
        ("commands: []", []),
        ('commands: ["echo \\"a: b\\""]', ['echo "a: b"']),
    ],
)
def test_a_command_is_the_text_of_the_file(commands: str, read_as: list[str] | None) -> None:
    """Reported as F2."""
    wanted = ["false", "1", "0.10", "yes", "2026-11-28", "0x1F"] if read_as is None else read_as
    assert texts(f"{HEAD}  build:\n    {commands}\n") == wanted


def test_anchors_aliases_and_merge_keys_work() -> None:
    install = "  install: &x {commands: [a], on-failure: ABORT}\n"
    text = f"{HEAD}{install}  build: {{<<: *x, finally: b}}\n"
    build = read(text).phases["build"]
    assert [command.text for command in (*build.commands, *build.last)] == ["a", "b"]
    assert build.on_failure == OnFailure("ABORT")


def test_version_0_1_has_its_own_names() -> None:
    text = (
        "version: 0.1\nenvironment_variables: {plaintext: {A: 1}}\nphases: {build: {commands: a}}\n"
    )
    assert read(text).environment.variables == {"A": "1"}
    (problem,) = problems(BUILD.replace("0.2", "0.1") + "env: {variables: {A: 1}}\n")
    assert "environment_variables" in problem.advice
    (problem,) = problems(BUILD + "environment_variables: {}\n")
    assert "env" in problem.advice


def test_ten_thousand_commands_are_read() -> None:
    assert len(texts(HEAD + "  build:\n    commands:\n" + "      - true\n" * 10_000)) == 10_000


WRONG = [
    ("", 1, "", "empty"),
    ("# only a comment\n", 1, "", "empty"),
    ("- a\n", 1, "", "found a list"),
    ("just words\n", 1, "", "found a text"),
    ("phases: {}\n", 1, "version", "missing"),
    ("version: 0.2\n", 1, "phases", "missing"),
    ("version: 0.3\nphases: {}\n", 1, "version", "'0.3' is none of 0.1, 0.2"),
    ("version: 2\nphases: {}\n", 1, "version", "none of"),
    ("version: 0.2\nphases: [build]\n", 2, "phases", "found a list"),
    (HEAD + "\tbuild: {}\n", 3, "", "cannot start any token"),
    (HEAD + "  build: [\n", 4, "", ""),
    (HEAD + "  build:\n    commands:\n      - echo a: b\n", 5, "phases/build/commands[0]", "keys"),
    (HEAD + "  build:\n    commands:\n      echo: b\n", 5, "phases/build/commands", "found keys"),
    (HEAD + "  build:\n    commands:\n      - [a]\n", 5, "phases/build/commands[0]", "a list"),
    (HEAD + "  prebuild: {}\n", 3, "phases/prebuild", "no such key"),
    (HEAD + "  build: {comands: a}\n", 3, "phases/build/comands", "no such key"),
    (HEAD + "  build: {on-failure: abort}\n", 3, "phases/build/on-failure", "no action"),
    (HEAD + "  build: {on-failure: RETRY-101}\n", 3, "phases/build/on-failure", "too many"),
    (HEAD + "  build: {on-failure: RETRY-(}\n", 3, "phases/build/on-failure", "no regular"),
    (HEAD + "  build: {runtime-versions: {}}\n", 3, "phases/build/runtime-versions", "no such"),
    (HEAD + "  build: {commands: a}\n  build: {}\n", 4, "phases/build", "twice, first in line 3"),
    (HEAD + "  build: {commands: !Sub a}\n", 3, "phases/build/commands", "!Sub"),
    (HEAD + "  build: &a {commands: [*a]}\n", 3, "phases/build/commands[0]", "its own anchor"),
    (BUILD + "---\na: b\n", 3, "", "document"),
    (BUILD + "artefacts: {files: a}\n", 3, "artefacts", "no such key"),
    (BUILD + "artifacts: {}\n", 3, "artifacts/files", "missing"),
    (BUILD + "artifacts: {files: []}\n", 3, "artifacts/files", "empty"),
    (BUILD + "artifacts: {files: {a: b}}\n", 3, "artifacts/files", "found keys"),
    (BUILD + "artifacts: {files: a, discard-paths: maybe}\n", 3, "artifacts/discard-paths", "none"),
    (
        BUILD + "artifacts: {secondary-artifacts: {a b: {files: x}}}\n",
        *(3, "artifacts/secondary-artifacts/a b", "identifier"),
    ),
    (BUILD + "env: {variables: {A B: x}}\n", 3, "env/variables/A B", "no shell"),
    (BUILD + "env: {variables: {CODEBUILD_X: x}}\n", 3, "env/variables/CODEBUILD_X", "own"),
    (BUILD + "env: {variables: {A: [x]}}\n", 3, "env/variables/A", "found a list"),
    (BUILD + "env: {variables: [A]}\n", 3, "env/variables", "found a list"),
    (BUILD + "env: {shell: zsh}\n", 3, "env/shell", "none of"),
    (BUILD + "env: {shell: cmd.exe}\n", 3, "env/shell", "Windows"),
    (
        BUILD + "env: {exported-variables: [AWS_X]}\n",
        *(3, "env/exported-variables[0]", "begins with AWS_"),
    ),
    (
        BUILD + "env: {parameter-store: {P: p}, exported-variables: [P]}\n",
        *(3, "env/exported-variables[0]", "Parameter Store"),
    ),
    (
        BUILD + "env: {variables: {P: p}, parameter-store: {P: p}}\n",
        *(3, "env/parameter-store/P", "also in env/variables"),
    ),
    (BUILD + "cache: {key: a}\n", 3, "cache/paths", "missing"),
    (BUILD + "cache: {paths: a, action: both}\n", 3, "cache/action", "none of"),
    (BUILD + "reports: {r: {files: a, file-format: XML}}\n", 3, "reports/r/file-format", "none"),
    (
        BUILD + "reports: {" + ", ".join(f"r{n}: {{files: a}}" for n in range(6)) + "}\n",
        *(3, "reports", "5 at most"),
    ),
    ("version: 0.2\nphases: {build: {commands: ['\x01']}}\n", 2, "", ""),
    ("a: " * 5 + "[" * 3000, 1, "", ""),
]


@pytest.mark.parametrize(("text", "line", "path", "what"), WRONG)
def test_a_problem_says_line_key_and_what_to_do(text: str, line: int, path: str, what: str) -> None:
    """Reported as F2."""
    found = problems(text)[0]
    assert (found.line, found.path) == (line, path)
    assert what in found.what
    assert found.advice
    assert str(found).startswith(f"line {line}: ")


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (HEAD + "  preBuild: {}\n", "Did you mean pre_build?"),
        (HEAD + "  build: {command: a}\n", "Did you mean commands?"),
        (BUILD + "artifacts: {file: a}\n", "Did you mean files?"),
        (BUILD + "artifacts: {files: a, base_directory: b}\n", "Did you mean base-directory?"),
        (HEAD + "  artifacts: {files: a}\n", "artifacts belongs to the top level"),
        (BUILD + "secondary-artifacts: {}\n", "secondary-artifacts belongs to artifacts."),
        (BUILD + "env: {paramater-store: {}}\n", "Did you mean parameter-store?"),
        (HEAD + "  build: {on-failure: Abort}\n", "Capital letters count."),
    ],
)
def test_what_was_probably_meant_is_named(text: str, advice: str) -> None:
    assert any(advice in problem.advice for problem in problems(text))


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems("version: 1\nenv: {x: y}\nphases:\n  build: {commands: {a: b}, z: 1}\n")
    assert [problem.line for problem in found] == [1, 2, 4, 4]


@pytest.mark.parametrize(
    ("text", "aws"),
    [
        # https://github.com/awsdocs/aws-codebuild-user-guide/pull/25
        (HEAD + "\tbuild: {}\n", "found character that cannot start any token at line 3"),
        # https://github.com/aws/sagemaker-chainer-container/pull/83
        (
            HEAD + "  build:\n    commands: [a, {b: c}]\n",
            "Expected Commands[1] to be of string type: found subkeys instead at line 4",
        ),
        (
            HEAD + "  artifacts: {}\n",
            "Invalid buildspec phase name: artifacts. "
            "Expecting: build,install,post_build,pre_build",
        ),
    ],
)
def test_codebuilds_own_message_is_kept_where_it_is_known(text: str, aws: str) -> None:
    with pytest.raises(BuildspecError) as raised:
        read(text)
    assert raised.value.message == aws


def test_a_file_that_is_no_utf_8_is_told_by_line() -> None:
    (problem,) = problems(b"version: 0.2\n# caf\xe9\n")
    assert (problem.line, problem.advice) == (2, "Save the file as UTF-8.")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    text = b"\xef\xbb\xbf" + BUILD.replace("\n", "\r\n").encode()
    assert [command.text for command in read(text).phases["build"].commands] == ["make"]


def test_aliases_of_aliases_cannot_explode() -> None:
    lines = [
        "x0: &x0 [a]",
        *(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 30)),
    ]
    assert len(problems("\n".join(lines))) >= 30


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("abv:-[]{}&*!|>'\"#%@` \n\t0.2phases"), max_size=60))
def test_no_text_raises_anything_but_problems(text: str) -> None:
    with suppress(BuildspecError):
        read(text)

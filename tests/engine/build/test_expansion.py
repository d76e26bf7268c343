"""How long the values of a Dockerfile may become, and a build whose client has gone."""

from __future__ import annotations

import pytest

from labs_helpers.engine.build import BuildError
from labs_helpers.engine.build.expansion import MOST_BYTES
from tests.engine.build.building import Builder

LONGEST = MOST_BYTES - len("A=\0")


@pytest.mark.parametrize("instruction", ["ENV", "ARG", "LABEL"])
def test_the_longest_value_that_linux_takes_is_kept_and_one_byte_more_is_refused(
    builder: Builder, instruction: str
) -> None:
    builder.build(f"FROM scratch\n{instruction} A={LONGEST * 'x'}\nCMD x\n")
    for value in (f"{(LONGEST + 1) * 'x'}", f"{LONGEST // 2 * 'é'}é", 300_000 * "x"):
        with pytest.raises(BuildError) as refused:
            builder.build(f"FROM scratch\n{instruction} A={value}\n")
        assert f'Dockerfile line 2: {instruction} "A": the value has ' in str(refused.value)
        assert "131072" in str(refused.value)


@pytest.mark.parametrize(
    "instruction",
    [
        "ENV B=$A$A",
        "ARG B=$A$A",
        "LABEL B=$A$A",
        "LABEL $A$A=b",
        "WORKDIR /$A$A",
        "USER $A$A",
        "EXPOSE $A$A",
        "COPY $A$A /",
        "COPY --chown=$A$A a /",
        "ENV B=${A:-x}${NONE:-$A}",
        "ENV B=${A//x/y}",
        "COPY <<END /a\n$A$A\nEND",
    ],
)
def test_every_expansion_that_grows_too_long_names_the_line_and_the_variable(
    builder: Builder, instruction: str
) -> None:
    text = f"FROM scratch\nENV A={LONGEST * 'x'}\n{instruction}\n"
    with pytest.raises(BuildError) as refused:
        builder.build(text, {"a": "a"})
    assert refused.value.line == 3
    assert str(refused.value).startswith('Dockerfile line 3: with the value of "A", the values in ')


@pytest.mark.parametrize("begin", ["FROM scratch\nENV", "FROM scratch\nARG", "ARG"])
def test_a_value_that_grows_eightfold_a_line_ends_the_build_early(
    builder: Builder, begin: str
) -> None:
    instruction = begin[-3:]
    grow = f"{instruction} A=$A$A$A$A$A$A$A$A\n"
    with pytest.raises(BuildError) as refused:
        builder.build(f"{begin} A=aaaaaaaa\n{grow * 100}FROM scratch\n")
    assert refused.value.line == len(begin.splitlines()) + 5
    assert 'with the value of "A"' in str(refused.value)


def test_a_replacement_that_multiplies_is_refused_and_a_small_one_is_done(
    builder: Builder,
) -> None:
    image = builder.build("FROM scratch\nENV A=a.b.c\nENV B=${A//./--}\n")
    assert "B=a--b--c" in image.config["config"]["Env"]
    texts = (
        f"ENV A={5000 * 'x'}\nENV B=${{A//x/$A}}\n",
        f"ENV A={5000 * 'x'}\nENV B=${{A//x/{40_000 * 'y'}}}\n",
    )
    for text in texts:
        with pytest.raises(BuildError, match=r"Dockerfile line 3: .*must be shorter here"):
            builder.build(f"FROM scratch\n{text}")


def test_many_long_values_end_the_build_before_its_configuration_is_huge(builder: Builder) -> None:
    lines = "".join(f"ENV A{n}=${{A}}\n" for n in range(60))
    with pytest.raises(BuildError, match="configuration of the image would have"):
        builder.build(f"FROM scratch\nENV A={100_000 * 'x'}\n{lines}")


@pytest.mark.parametrize("quiet", [False, True])
def test_a_build_whose_client_has_gone_ends_before_its_next_step(
    builder: Builder, quiet: bool
) -> None:
    asked: list[bool] = []

    def is_gone() -> bool:
        asked.append(len(asked) == 2)
        return asked[-1]

    with pytest.raises(BuildError, match="client has gone"):
        builder.build("FROM scratch\nENV A=1\nENV B=1\nENV C=1\n", is_gone=is_gone, quiet=quiet)
    assert asked == [False, False, True]

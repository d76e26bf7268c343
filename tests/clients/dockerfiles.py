"""Dockerfiles that both builders are given, and the context that they copy from.

``BASE`` makes an image of busybox, with users and groups.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path

BASE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN mkdir -p -m 1777 /tmp && mkdir -p /etc \
 && echo root:x:0:0:root:/root:/bin/sh > /etc/passwd \
 && echo app:x:1000:1001:a:/home/app:/bin/sh >> /etc/passwd \
 && echo root:x:0: > /etc/group && echo grp:x:77: >> /etc/group
"""
PROGRAMS = "FROM programs"
"""The image of BASE, which both have under this name."""

BUILT = {
    "copy": """\
FROM scratch
COPY d /d/
COPY d/*.txt d/sub /m/
COPY run.sh /usr/local/bin/run
COPY ["we ird.txt", "/w/x y"]
COPY to-d /l/
COPY to-d/a.txt /l2/
COPY d/link /l3/
COPY empty /e/
COPY empty /e2
COPY [!r]un.sh d/[ab].* /g/
COPY .hidden ./d/./a.txt d//sub/c.txt /z/
WORKDIR /w
COPY run.sh .
COPY run.sh ./k
COPY d/a.txt ./n/
COPY d ../up
""",
    "volumes": f"""\
{PROGRAMS}
COPY d /old/d
RUN chmod 700 /old && chown 5:6 /old
VOLUME /v /a/b /old /v/in
RUN echo 1 > /v/x; echo 2 > /old/g; rm -r /old/d; mkdir /a/c; ls /v /a /old
RUN ls /v /a /old; rmdir /a/c; cp -r /old /kept
COPY run.sh /v/
USER app
RUN ls /v
""",
    "copy-everything": "FROM scratch\nCOPY . /all/\n",
    "add": """\
FROM scratch
ADD owned.tar /t/
ADD owned.tar.gz owned.tar.xz /x/
ADD --chown=7:8 run.sh owned.tar /o/
ADD run.sh.gz /gz/
ADD d /q
COPY owned.tar.gz /c/
""",
    "chown": f"""\
{PROGRAMS}
COPY --chown=app:77 d/*.txt /d1/
COPY --chown=app:grp run.sh /d2/e/f
COPY --chown=5:6 run.sh /s
COPY --chown=root d /d3
""",
    "links-of-the-image": f"""\
{PROGRAMS}
RUN mkdir /dd && ln -s /dd /dl && ln -s /target /lnk
COPY run.sh /lnk
COPY run.sh /dl/
COPY d/sub /dl
""",
    "folders-that-exist": f"""\
{PROGRAMS}
RUN mkdir -p -m 700 /x/q /x/r
COPY modes /x
COPY modes /y
WORKDIR /x/new
""",
    "stages": """\
ARG W=w
FROM scratch AS One
COPY --chown=3:4 d /d/
FROM one
ARG W
COPY run.sh /b
FROM scratch
COPY --from=one /d /e
COPY --from=0 --chown=9:9 /d/link /l
COPY --from=1 / /all
""",
    "configuration": """\
FROM scratch
ENV a=1 b=${a}x c=${a:-z} d=${n:-dd} e=${a:+yes} f=${n:+no}
ENV g=${a}${b}\\${c} h='$a' i="$a"
LABEL "x y"="1 2" z=$a
LABEL multi="a\\
b"
ENV old style value
EXPOSE 80 443/tcp 53/udp 1000-1002
VOLUME /a /b
VOLUME ["/c d"]
STOPSIGNAL 9
STOPSIGNAL SIGQUIT
MAINTAINER me <me@x>
CMD echo hi
ENTRYPOINT ["/x"]
CMD ["a"]
SHELL ["/bin/bash", "-c"]
ENTRYPOINT foo bar
ONBUILD COPY . /x
ONBUILD RUN echo  x
USER $a
WORKDIR /$a/${b}
""",
    "arguments": f"""\
ARG BASE=scratch
ARG UNUSED=$BASE
FROM $BASE
ENV X=2
ARG X=1
ARG Y=${{X:-y}} Z
ENV Y=$X$Y PATH=$PATH:/q
COPY run.sh /
{PROGRAMS}
ARG V=1
RUN echo $V > /v
""",
    "run": f"""\
{PROGRAMS}
RUN mkdir /a && echo 1 > /a/1 && echo 2 > /a/2
RUN rm -rf /a && mkdir /a && echo 3 > /a/3
RUN rm -rf /a/* /tmp
RUN mkdir -m 2775 /sg && touch /sg/f && ln /sg/f /sg/l && chown app:grp /sg/f
RUN mv /sg /sg2
RUN rm /sg2/l && ln -s f /sg2/l
RUN cp -a /sg2 /sg3 && rm -r /sg2 && touch /sg2
WORKDIR /w
USER 5:6
RUN id -u; id -g; echo $HOME; pwd
RUN ["sh", "-c", "echo $PATH $0 x"]
""",
    "users": f"""\
{PROGRAMS}
RUN mkdir -m 700 /own && echo s > /own/file && chmod 400 /own/file && chown -R app /own
RUN mkdir -m 3777 /team && chown 7:8 /team && cp /bin/busybox /su && chown 5:6 /su && chmod 6755 /su
RUN ln -s nowhere /link && chown -h 5:5 /link && echo > /roots && mkfifo /pipe && chown 5 /pipe
USER app
RUN exec 2>&1; cat /own/file; touch /x || echo no; echo >> /roots || echo no; rm /roots || echo no
RUN exec 2>&1; touch /team/new; mkdir /team/folder; chown 5 /team/new || echo no
RUN stat -c '%n %u:%g %a' /team /team/new /team/folder /pipe /link /su /own /own/file
USER 12:13
RUN exec 2>&1; cat /own/file || echo no; touch /team/of12; rm /team/new || echo no
""",
    "run-between-copies": f"""\
{PROGRAMS}
COPY d /d
RUN ln /d/a.txt /d/hard && chmod 600 /d/hard && rm /d/b.md
COPY d/sub /d
COPY run.sh /d/link
FROM scratch
COPY --from=0 /d /e
""",
    "escape": "# escape=`\nFROM scratch\nENV a=`\nb\nCOPY run.sh /\n",
    "comments": (
        "# syntax=docker/dockerfile:1\n# comment\nFROM scratch\n  # indented\n"
        "COPY d/a.txt \\\n  # inner\n  /x\n"
    ),
}
"""Name -> a Dockerfile that builds."""

LINKING = ("run-between-copies",)
"""Those in which a hard link of one layer is changed in the next (daemons.dockerd_on_vfs)."""

REFUSED = {
    "no file": "FROM scratch\nCOPY nope /\n",
    "no match": "FROM scratch\nCOPY d/*.zip /\n",
    "bad pattern": "FROM scratch\nCOPY d/[ /x\n",
    "several into a file": "FROM scratch\nCOPY d/*.txt run.sh /nodir\n",
    "outside the context": "FROM scratch\nCOPY ../x /\n",
    "quotes hold no words": 'FROM scratch\nCOPY "we ird.txt" /w/\n',
    "no such stage": "FROM scratch\nCOPY --from=9 x /\n",
    "its own stage": "FROM scratch\nCOPY --from=0 x /\n",
    "unknown instruction": "FROM scratch\nFOO x\n",
    "one argument of COPY": "FROM scratch\nCOPY x\n",
    "a port": "FROM scratch\nEXPOSE foo\n",
    "a protocol": "FROM scratch\nEXPOSE 80/foo\n",
    "ports backwards": "FROM scratch\nEXPOSE 90-80\n",
    "no folder": "FROM scratch\nWORKDIR\n",
    "no user": "FROM scratch\nUSER\n",
    "unknown unit": "FROM scratch\nHEALTHCHECK --interval=1x CMD a\n",
    "missing unit": "FROM scratch\nHEALTHCHECK --interval=1 CMD a\n",
    "retries": "FROM scratch\nHEALTHCHECK --retries=x CMD a\n",
    "too short": "FROM scratch\nHEALTHCHECK --interval=1ns CMD a\n",
    "health": "FROM scratch\nHEALTHCHECK FOO a\n",
    "a signal": "FROM scratch\nSTOPSIGNAL SIGFOO\n",
    "a shell": "FROM scratch\nSHELL foo\n",
    "a flag": "FROM scratch\nCOPY --foo=x a b\n",
    "parents": "FROM scratch\nCOPY --parents d /x\n",
    "exclude": "FROM scratch\nCOPY --exclude=a d /x\n",
    "no base": "FROM\n",
    "two bases": "FROM a b\n",
    "a stage's name": "FROM scratch as 1x\n",
    "an empty base": "FROM ${X}\n",
    "no stage": "ENV a=b\n",
    "a trigger of a trigger": "FROM scratch\nONBUILD ONBUILD RUN x\n",
    "a trigger FROM": "FROM scratch\nONBUILD FROM x\n",
    "no such user": f"{PROGRAMS}\nCOPY --chown=nobody run.sh /\n",
    "an owner": "FROM scratch\nCOPY --chown=a:b:c run.sh /\n",
    "exit status": f"{PROGRAMS}\nRUN exit 4\n",
    "no such command": f"{PROGRAMS}\nRUN nosuch\n",
    "no command": f"{PROGRAMS}\nRUN\n",
    "a mount": f"{PROGRAMS}\nRUN --mount=type=cache,target=/x true\n",
}
"""Name -> a Dockerfile that neither builder builds."""


def context(folder: Path) -> Path:
    """Make the context that they are built with."""
    busybox = shutil.which("busybox")
    assert busybox
    shutil.copy(busybox, folder / "busybox")
    files = {"d/a.txt": "a\n", "d/b.md": "b\n", "d/sub/c.txt": "c\n", "run.sh": "#!/bin/sh\n"}
    for name, text in {**files, "we ird.txt": "plain\n", ".hidden": "", "modes/q/f": ""}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "run.sh").chmod(0o755)
    (folder / "d/sub").chmod(0o700)
    (folder / "modes").chmod(0o711)
    (folder / "modes/q").chmod(0o1755)
    (folder / "empty").mkdir()
    (folder / "d/link").symlink_to("a.txt")
    (folder / "to-d").symlink_to("d")
    os.link(folder / "d/a.txt", folder / "d/hard.txt")
    (folder / "run.sh.gz").write_bytes(b"\x1f\x8b\x08 no tar")
    for mode, ending in (("w", ""), ("w:gz", ".gz"), ("w:xz", ".xz")):
        with tarfile.open(folder / f"owned.tar{ending}", mode) as tar:  # type: ignore[call-overload]
            _fill(tar)
    return folder


def _fill(tar: tarfile.TarFile) -> None:
    """A folder, files and links that other people own, writable for all."""
    for name, kind, content in (
        ("p", tarfile.DIRTYPE, b""),
        ("p/f", tarfile.REGTYPE, b"owned\n"),
        ("p/hard", tarfile.LNKTYPE, b""),
        ("p/soft", tarfile.SYMTYPE, b""),
        ("p/" + "long" * 40, tarfile.REGTYPE, b"long\n"),
    ):
        member = tarfile.TarInfo(name)
        member.type, member.uid, member.gid, member.mode = kind, 12, 34, 0o777
        member.linkname = {"p/hard": "p/f", "p/soft": "f"}.get(name, "")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))

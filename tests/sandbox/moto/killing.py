"""Children that change moto's services and are killed: `python -m tests.sandbox.moto.killing`.

    python -m tests.sandbox.moto.killing FOLDER TRIALS SEED

Each trial forks a child that makes changes in a random order and says so after each; the child is
killed once it has said a random number of them. The next child compares what is on the disk with
what was said: every change that was said is there, and at most one more, whole. Prints the number
of changes that were said; exits with 1 and words for the first difference.
"""

from __future__ import annotations

import inspect
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moto.core.base_backend import AccountSpecificBackend
from moto.moto_api._internal import mock_random

from labs_helpers.sandbox.moto import memory
from labs_helpers.sandbox.moto.kept.state import ServiceState, use

ACCOUNT, REGION = "123456789012", "us-west-2"
TABLE: dict[str, Any] = {
    "attr": [{"AttributeName": "id", "AttributeType": "S"}],
    "schema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "billing_mode": "PAY_PER_REQUEST",
    "name": "table",
    "tags": [],
}
SEEN = ("dynamodb", "kms", "logs", "s3", "secretsmanager", "sns", "sqs", "ssm")


def backend(package: str) -> Any:
    """moto's backend of a service, imported at the first call."""
    from labs_helpers.sandbox.moto.kept import restored

    return restored.backends(package)[ACCOUNT]["aws" if package == "s3" else REGION]


def began() -> None:
    """What the changes below are made in."""
    backend("s3").create_bucket("bucket", REGION)
    backend("sqs").create_queue("queue")
    backend("logs").create_log_group("group", {})
    backend("logs").create_log_stream("group", "stream")
    create_table = backend("dynamodb").create_table
    wanted = inspect.signature(create_table).parameters
    create_table(**{**dict.fromkeys(wanted), **TABLE})


def put_object(name: str) -> None:
    backend("s3").put_object("bucket", name, f"body of {name}".encode())


def send_message(name: str) -> None:
    backend("sqs").send_message("queue", name)


def put_event(name: str) -> None:
    now = int(time.time() * 1000)
    backend("logs").put_log_events("group", "stream", [{"timestamp": now, "message": name}])


def put_item(name: str) -> None:
    backend("dynamodb").put_item("table", {"id": {"S": name}})


def create_topic(name: str) -> None:
    backend("sns").create_topic(name)


def create_alias(name: str) -> None:
    key = backend("kms").create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", name, None)
    backend("kms").create_alias(key.id, f"alias/{name}")


CHANGES: dict[str, Callable[[str], None]] = {
    "object": put_object,
    "message": send_message,
    "event": put_event,
    "item": put_item,
    "topic": create_topic,
    "alias": create_alias,
}


def there() -> dict[str, set[str]]:
    """What the services hold, by the kind of change; each with the content that it must have."""
    bucket = backend("s3").buckets["bucket"]
    for key in bucket.keys.values():
        if key.value != f"body of {key.name}".encode():
            raise SystemExit(f"the object {key.name} holds {key.value!r}")
    events = backend("logs").groups["group"].streams["stream"].events
    keys = backend("kms").keys.values()
    for key in keys:
        if list(key.aliases) != [f"alias/{key.description}"]:
            raise SystemExit(f"the key {key.description} has the aliases {key.aliases}")
    return {
        "object": set(bucket.keys),
        "message": {each.body for each in backend("sqs").queues["queue"]._messages},
        "event": {each.message for each in events},
        "item": {key.value for key in backend("dynamodb").tables["table"].items},
        "topic": {each.name for each in backend("sns").topics.values()},
        "alias": {each.description for each in keys},
    }


@contextmanager
def kept(folder: Path) -> Iterator[ServiceState]:
    """The state in a folder, with its hooks on moto."""
    state = use(ServiceState(folder))
    state.install()
    yield state
    if state.notices:
        raise SystemExit(" ".join(state.notices))


def change(folder: Path, trial: int, chosen: random.Random, say: Callable[[str], None]) -> None:
    """Make changes until killed; say each when it is kept."""
    with kept(folder) as state:
        number = 0
        while True:
            kind = chosen.choice(list(CHANGES))
            name = f"{kind}-{trial}-{number}"
            with state.changing():
                CHANGES[kind](name)
            say(f"{kind} {name}\n")
            number += 1


def compare(folder: Path, said: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is there, when it is what was said and at most one change more."""
    with kept(folder):
        found = there()
    for kind, names in said.items():
        if names - found[kind]:
            raise SystemExit(f"acknowledged and lost: {sorted(names - found[kind])}")
    more = {kind: found[kind] - said[kind] for kind in found if found[kind] - said[kind]}
    if sum(map(len, more.values())) > 1:
        raise SystemExit(f"never asked for: {more}")
    return found


def in_a_child(work: Callable[[Callable[[str], None]], None]) -> tuple[int, int]:
    """A fork that works, and the end of the pipe on which the fork says something."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    # else every fork makes the same keys of KMS
    mock_random.seed()
    try:
        work(lambda text: _all(writing, text.encode()))
    except SystemExit as failure:
        print(failure, file=sys.stderr, flush=True)
        os._exit(1)
    except Exception:  # noqa: BLE001 (a fork must not go on as its parent does)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def main(folder: Path, trials: int, seed: int) -> int:
    memory.install()
    chosen = random.Random(seed)
    from labs_helpers.sandbox.moto.kept import restored

    # once, not in every fork
    for package in SEEN:
        restored.import_models(package)
        AccountSpecificBackend.get_session().get_available_regions(package)

    def begin(say: Callable[[str], None]) -> None:
        with kept(folder) as state, state.changing():
            began()

    if os.waitpid(in_a_child(begin)[0], 0)[1]:
        return 1
    said: dict[str, set[str]] = {kind: set() for kind in CHANGES}
    total = 0
    for trial in range(trials):
        wanted, order = chosen.randrange(1, 25), random.Random(chosen.random())
        child, reading = in_a_child(
            lambda say, trial=trial, order=order: change(folder, trial, order, say)  # type: ignore[misc]
        )
        with os.fdopen(reading, encoding="ascii") as lines:
            for number, line in enumerate(lines):
                kind, name = line.split()
                said[kind].add(name)
                if number + 1 == wanted:
                    os.kill(child, signal.SIGKILL)
            total += number + 1
        os.waitpid(child, 0)
        before = {kind: set(names) for kind, names in said.items()}

        def look(say: Callable[[str], None], before: dict[str, set[str]] = before) -> None:
            found = compare(folder, before)
            say(json.dumps({kind: sorted(names) for kind, names in found.items()}))

        child, reading = in_a_child(look)
        with os.fdopen(reading, encoding="ascii") as answer:
            text = answer.read()
        if os.waitpid(child, 0)[1]:
            return 1
        said = {kind: set(names) for kind, names in json.loads(text).items()}
    print(total)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

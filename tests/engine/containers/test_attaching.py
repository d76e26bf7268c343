"""A start waits for a client that is about to attach, whose output would be lost."""

from __future__ import annotations

import threading

from labs_helpers.engine.containers.attaching import Attaching


def test_a_start_waits_for_each_client_of_its_container() -> None:
    attaching, order = Attaching(), []

    def start() -> None:
        attaching.settle("box", 60)
        order.append("start")

    thread = threading.Thread(target=start)
    with attaching.client("box"):
        with attaching.client("box"):
            thread.start()
            attaching.settle("another", 60)
            order.append("first client")
        order.append("second client")
    thread.join(60)
    assert order == ["first client", "second client", "start"]


def test_a_client_that_fails_holds_no_start_up() -> None:
    attaching = Attaching()
    try:
        with attaching.client("box"):
            raise ConnectionResetError
    except ConnectionResetError:
        pass
    attaching.settle("box", 60)


def test_a_client_that_does_not_read_holds_a_start_up_for_a_time() -> None:
    attaching = Attaching()
    with attaching.client("box"):
        attaching.settle("box", 0.01)

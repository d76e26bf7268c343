"""A network namespace: its loopback interface, and sockets that listen inside.

There is no bridge: an ordinary user may not make one. Published ports are relayed (relay.py).
Source: https://man7.org/linux/man-pages/man7/netdevice.7.html
"""

from __future__ import annotations

import fcntl
import socket
import struct

STOCK = 8
"""Unconnected sockets of a namespace that are made at a time."""

_SET_FLAGS, _SET_ADDRESS, _SET_MASK = 0x8914, 0x8916, 0x891C
_UP_RUNNING = 0x41
_BACKLOG = 128


def loopback_up() -> None:
    """Set the interface lo of this network namespace up. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_RUNNING))


def listen(address: str, port: int) -> socket.socket:
    """A socket that listens in this network namespace, on an address that lo gets if need be."""
    if not address.startswith("127."):
        _add_address(address)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(_BACKLOG)
    return listener


def _add_address(address: str) -> None:
    """Give lo a further address. Its label is made of the address, so each gets its own."""
    name = f"lo:{address.rpartition('.')[2]}".encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, value in ((_SET_ADDRESS, address), (_SET_MASK, "255.255.255.255")):
            packed = struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(control, request, packed)

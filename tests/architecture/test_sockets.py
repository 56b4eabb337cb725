"""Tests reach this machine and nothing beyond it."""

import socket

import pytest


def connect(address: str) -> None:
    """Connect by UDP, which sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect((address, 9))


def test_a_connection_beyond_this_machine_is_refused() -> None:
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):  # the plug-in warns and raises, and says what is allowed
        connect("192.0.2.1")


def test_this_machine_can_be_reached() -> None:
    connect("127.0.0.1")

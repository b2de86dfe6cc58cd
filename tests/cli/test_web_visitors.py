"""Who may ask the studio's server, and which bytes are a message: without a server."""

import pytest
from messages import frame
from tornado.httputil import HTTPHeaders

from nst_tutorial.cli.web.server import NAMES
from nst_tutorial.cli.web.visitors import is_from_another_site, is_known_host, is_message

HERE = "127.0.0.1:8866"


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8866", True),
        ("127.0.0.1", True),
        ("LocalHost:9000", True),  # as through a tunnel of ssh
        ("evil.example", False),
        ("evil.example:8866", False),
        ("127.0.0.1.evil.example:8866", False),
        ("localhost@evil.example", False),
        ("127.0.0.1,evil.example", False),  # two headers
        ("[::1]:8866", False),
        ("%2Ftmp", False),
        ("", False),
    ],
)
def test_hosts(host, known):
    assert is_known_host(host, NAMES) == known


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),  # no browser
        ({"Sec-Fetch-Site": "none"}, False),  # typed, or a bookmark
        ({"Sec-Fetch-Site": "same-origin", "Referer": f"http://{HERE}/"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),  # another port of this machine
        ({"Sec-Fetch-Site": "anything"}, True),
        ({"Origin": f"http://{HERE}"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "http://127.0.0.1:9999"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://["}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, True),
        ({"Referer": f"http://{HERE}/"}, False),
        ({"Referer": "http://evil.example/page"}, True),
    ],
)
def test_sites(headers, foreign):
    assert is_from_another_site(HTTPHeaders({"Host": HERE, **headers})) == foreign


def with_offset(number: int, value: int) -> bytes:
    return GOOD[: 8 * number] + value.to_bytes(8, "little") + GOOD[8 * (number + 1) :]


GOOD = frame(b'{"msg_type": "x"}', b"{}", b"{}", b"{}", b"a buffer")


def test_a_message_is_one():
    assert is_message(GOOD)
    assert is_message(frame(b"{}", b"{}", b"{}", b"{}"))
    assert is_message(frame(*[b"{}"] * 254))


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\7",
        '{"header": {}}',  # text
        b'{"header": {"msg_id": "a"}}',  # the older format: eight letters as a number
        b"\xff" * 8,
        with_offset(0, 2**62),
        with_offset(0, 5),
        with_offset(1, 0),  # the channel inside the offsets
        with_offset(3, 2**63),
        with_offset(3, 8),  # backwards: parts would overlap
        with_offset(7, len(GOOD) + 1),  # past the end
        frame(*[b"{}"] * 255),
        frame(b"{}", b"{}", b"{}"),
    ],
)
def test_what_is_no_message(bad):
    assert not is_message(bad)

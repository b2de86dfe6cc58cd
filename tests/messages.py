"""Messages between a page and its kernel, in the protocol that Jupyter calls v1."""


def frame(*parts: bytes, channel: bytes = b"shell") -> bytes:
    """The number of offsets, the offsets, the channel, the parts."""
    pieces = [channel, *parts]
    offsets = [8 * (len(pieces) + 2)]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    numbers = [len(offsets), *offsets]
    return b"".join(number.to_bytes(8, "little") for number in numbers) + b"".join(pieces)

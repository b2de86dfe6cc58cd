"""Files of pictures written byte by byte, so that no library judges its own reading."""

import struct
import zlib

import numpy as np

D50 = (0.9642, 1.0, 0.8249)  # the white of ICC profiles


# --- PNG ---------------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, more: bytes = b"") -> bytes:
    """`rows` as the format has them, without the byte for a filter that each row begins with."""
    length = len(rows) // height
    lines = b"".join(b"\0" + rows[i * length : (i + 1) * length] for i in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


def claiming(width: int, height: int, channels: str = "RGB", more: bytes = b"") -> bytes:
    """A PNG that claims a size, with hardly any data."""
    code = {"grey": 0, "RGB": 2, "grey and alpha": 4, "RGBA": 6}[channels]
    data = png(width, 1, 8, code, b"", more)
    header = struct.pack(">IIBBBBB", width, height, 8, code, 0, 0, 0)
    return data[:8] + chunk(b"IHDR", header) + data[8 + 25 :]


def profile_chunk(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


# --- TIFF --------------------------------------------------------------------------------------


def tiff(width: int, height: int, data: bytes, order: str = "<", **tags) -> bytes:
    """An uncompressed TIFF of one strip; tags by name, each a number or a tuple of numbers."""
    names = {"bits": 258, "photometric": 262, "samples": 277, "planar": 284, "format": 339,
             "profile": 34675, "orientation": 274, "extra": 338}  # fmt: skip
    tags = {"bits": 8, "photometric": 1, "samples": 1, **tags}
    if tags.get("planar") == 2:
        plane = len(data) // tags["samples"]
        offsets, counts = [8 + i * plane for i in range(tags["samples"])], [plane] * tags["samples"]
    else:
        offsets, counts = [8], [len(data)]
    entries = {256: (4, [width]), 257: (4, [height]), 259: (3, [1]), 273: (4, offsets),
               278: (4, [height]), 279: (4, counts)}  # fmt: skip
    for name, value in tags.items():
        if isinstance(value, bytes):
            entries[names[name]] = (7, list(value))
        else:
            entries[names[name]] = (3, list(value) if isinstance(value, tuple) else [value])
    start = 8 + len(data) + len(data) % 2
    behind = start + 2 + 12 * len(entries) + 4  # where values longer than 4 bytes go
    directory, extra = struct.pack(order + "H", len(entries)), b""
    for tag, (kind, values) in sorted(entries.items()):
        packed = struct.pack(order + {3: "H", 4: "I", 7: "B"}[kind] * len(values), *values)
        if len(packed) > 4:
            place = struct.pack(order + "I", behind + len(extra))
            extra += packed + bytes(len(packed) % 2)
        else:
            place = packed.ljust(4, b"\0")
        directory += struct.pack(order + "HHI", tag, kind, len(values)) + place
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, start)
    return head + data + bytes(len(data) % 2) + directory + bytes(4) + extra


def twelve_bits(values: np.ndarray) -> bytes:
    """Two numbers in three bytes, the higher bits first; rows of an even width."""
    a, b = values.reshape(-1, 2).astype(np.uint32).T
    packed = (a << 12) | b
    return np.stack([packed >> 16, packed >> 8, packed], axis=1).astype(np.uint8).tobytes()


# --- colour profiles ---------------------------------------------------------------------------


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ") -> bytes:
    """An ICC profile of a display or printer with these tags."""
    tags = {b"wtpt": _xyz(*D50), **tags}
    table, data, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    head = struct.pack(
        ">I4sI4s4s4s", start + len(data), bytes(4), 0x02400000, kind, space, connection
    )
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(65536 * v) for v in D50))
    return head.ljust(128, b"\0") + table + data


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * v) for v in values))


def gamma(exponent: float) -> bytes:
    """A tone curve: the light is the number to this power; exact for multiples of 1/256."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * exponent))


def grey_profile(exponent: float) -> bytes:
    return profile(b"GRAY", {b"kTRC": gamma(exponent)})


def color_profile(exponent: float) -> bytes:
    """The primaries of sRGB (to D50, as ICC wants them) with another tone curve."""
    primaries = {b"r": (0.4360, 0.2225, 0.0139), b"g": (0.3851, 0.7169, 0.0971),
                 b"b": (0.1431, 0.0606, 0.7141)}  # fmt: skip
    colorants = {name + b"XYZ": _xyz(*values) for name, values in primaries.items()}
    return profile(b"RGB ", colorants | {name + b"TRC": gamma(exponent) for name in primaries})


def ink_profile(lightness_of_black_ink: float) -> bytes:
    """CMYK → Lab: coloured inks do nothing, and black takes L* from 100 to this; a, b are 0."""
    identity = bytes(range(256))
    corners = [  # of C, M, Y, K, the last changing fastest
        (round(255 * (lightness_of_black_ink if i & 1 else 100) / 100), 128, 128) for i in range(16)
    ]
    matrix = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + identity * 4
    table += b"".join(map(bytes, corners)) + identity * 3
    return profile(b"CMYK", {b"A2B0": table}, connection=b"Lab ")


def srgb(light: np.ndarray | float) -> np.ndarray:
    """The number that sRGB has for an amount of light."""
    light = np.asarray(light, dtype=float)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)

"""Pictures that are damaged by dice with a fixed seed, and some made to do harm."""

import io
import random
import struct
import zlib
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin, features

WIDTH, HEIGHT = 75, 53  # odd, and unlike each other, to be found again in the headers

KINDS = {
    "png": ("PNG", "RGB", {}),
    "png-palette": ("PNG", "P", {"transparency": 3}),
    "png-alpha": ("PNG", "RGBA", {"icc": True, "exif": True, "text": True}),
    "png-16": ("PNG", "I;16", {}),
    "png-bits": ("PNG", "1", {}),
    "png-film": ("PNG", "RGB", {"film": True}),
    "jpeg": ("JPEG", "RGB", {"exif": True, "icc": True}),
    "jpeg-progressive": ("JPEG", "RGB", {"progressive": True, "restart_marker_rows": 1}),
    "jpeg-grey": ("JPEG", "L", {}),
    "jpeg-cmyk": ("JPEG", "CMYK", {}),
    "webp": ("WEBP", "RGB", {"exif": True}),
    "webp-lossless": ("WEBP", "RGBA", {"lossless": True}),
    "webp-film": ("WEBP", "RGB", {"film": True}),
    "tiff": ("TIFF", "RGB", {"exif": True}),
    "tiff-deflate": ("TIFF", "RGBA", {"compression": "tiff_deflate"}),
    "tiff-lzw": ("TIFF", "L", {"compression": "tiff_lzw"}),
    "tiff-jpeg": ("TIFF", "RGB", {"compression": "jpeg"}),
    "tiff-fax": ("TIFF", "1", {"compression": "group4"}),
    "tiff-16": ("TIFF", "I;16", {}),
    "tiff-float": ("TIFF", "F", {}),
    "tiff-lab": ("TIFF", "LAB", {}),
    "gif": ("GIF", "P", {"transparency": 3}),
    "gif-film": ("GIF", "P", {"film": True}),
    "bmp": ("BMP", "RGB", {}),
    "bmp-palette": ("BMP", "P", {}),
    "ppm": ("PPM", "RGB", {}),
    "tga": ("TGA", "RGBA", {"compression": "tga_rle"}),
    "pcx": ("PCX", "P", {}),
    "sgi": ("SGI", "RGB", {"rle": True}),
    "jpeg2000": ("JPEG2000", "RGB", {}),
    "avif": ("AVIF", "RGB", {"exif": True}),
}
NEEDS = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}  # compiled in, or not


def scene(mode: str, turn: int = 0) -> Image.Image:
    """Shapes and some noise: it compresses as a picture does."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = [127 + 100 * np.sin((x * (c + 1) + y * 2) / 7 + c + turn) for c in range(3)]
    noise = np.random.default_rng(turn).normal(0, 8, (HEIGHT, WIDTH, 3))
    array = np.clip(np.stack(waves, axis=2) + noise, 0, 255).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray(array[:, :, 0].astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray(array[:, :, 0].astype(np.float32) / 255)
    picture = Image.fromarray(array)
    if mode == "LAB":
        to_lab = (ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"))
        return ImageCms.profileToProfile(picture, *to_lab, outputMode="LAB")
    if mode == "RGBA":
        picture.putalpha(Image.fromarray((x * 3).astype(np.uint8)))
    return picture.convert(mode)


@lru_cache
def original(kind: str) -> bytes:
    """The bytes of a good picture."""
    form, mode, given = KINDS[kind]
    options = dict(given)
    if options.pop("icc", False):
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if options.pop("exif", False):
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = 6
        options["exif"][0x010E] = 'nst_tutorial {"steps": 3}'
    if options.pop("text", False):
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("nst_tutorial", '{"steps": 3}', zip=True)
    if options.pop("film", False):
        options |= {"save_all": True, "append_images": [scene(mode, turn) for turn in (1, 2)]}
    file = io.BytesIO()
    scene(mode).save(file, form, **options)
    return file.getvalue()


# --- damage ------------------------------------------------------------------------------------


def truncate(data: bytearray, dice: random.Random) -> bytearray:
    return data[: dice.randrange(len(data))]


def flip_bits(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice([1, 1, 2, 5, 50])):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return data


def flip_bits_of_the_head(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice([1, 2, 5])):
        data[dice.randrange(min(len(data), 200))] ^= 1 << dice.randrange(8)
    return data


def overwrite(data: bytearray, dice: random.Random) -> bytearray:
    start, length = dice.randrange(len(data)), dice.choice([1, 2, 4, 30, 300])
    filling = dice.choice([b"\0" * length, b"\xff" * length, dice.randbytes(length)])
    data[start : start + length] = filling
    return data


def lose_a_piece(data: bytearray, dice: random.Random) -> bytearray:
    start = dice.randrange(len(data))
    del data[start : start + dice.choice([1, 2, 30, 300])]
    return data


def repeat_a_piece(data: bytearray, dice: random.Random) -> bytearray:
    start, length = dice.randrange(len(data)), dice.choice([1, 20, 400])
    data[start:start] = data[start : start + length] * dice.choice([1, 3, 40])
    return data


def absurd_size(data: bytearray, dice: random.Random) -> bytearray:
    """Width or height, wherever a header may hold them, become something else."""
    places = []
    for side in (WIDTH, HEIGHT, WIDTH - 1, HEIGHT - 1):
        for code in (">I", "<I", ">H", "<H"):
            pattern, at = struct.pack(code, side), -1
            while 0 <= (at := data.find(pattern, at + 1)) < 300:
                places.append((at, code))
    for at, code in dice.sample(places, min(len(places), dice.choice([1, 2, 4]))):
        most = 2 ** (8 * struct.calcsize(code)) - 1
        side = dice.choice([0, 1, 16, 4000, 12_000, 16_383, 65_535, most // 2, most])
        struct.pack_into(code, data, at, min(side, most))
    return data


def another_tail(data: bytearray, dice: random.Random) -> bytearray:
    """The head of one picture and the rest of another."""
    other = original(dice.choice(sorted(kinds())))
    return data[: dice.randrange(len(data))] + other[dice.randrange(len(other)) :]


def more_behind_it(data: bytearray, dice: random.Random) -> bytearray:
    return data + dice.randbytes(dice.choice([1, 100, 5000]))


def honest_checksums(data: bytearray) -> bytearray:
    """A PNG whose checksums fit its damaged chunks, so that the damage gets further."""
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            break
        checksum = zlib.crc32(data[at + 4 : at + 8 + length])
        struct.pack_into(">I", data, at + 8 + length, checksum)
        at += 12 + length
    return data


DAMAGES = (
    *(truncate, flip_bits, flip_bits_of_the_head, overwrite, lose_a_piece, repeat_a_piece),
    *(absurd_size, absurd_size, another_tail, more_behind_it),
)


def kinds() -> list[str]:
    here = {form for form, needed in NEEDS.items() if features.check(needed)}
    return [name for name, (form, *_) in KINDS.items() if form not in NEEDS or form in here]


def mutant(number: int) -> tuple[str, bytes]:
    """(a name that tells how it was made, the damaged file)."""
    names = kinds()
    kind = names[number % len(names)]
    dice = random.Random(number)
    damage = DAMAGES[number // len(names) % len(DAMAGES)]
    data = damage(bytearray(original(kind)), dice)
    if kind.startswith("png") and dice.random() < 0.5:
        data = honest_checksums(data)
    return f"{number}-{kind}-{damage.__name__}", bytes(data)


# --- bombs -------------------------------------------------------------------------------------


def png(width: int, height: int, depth: int, colour: int, more: bytes = b"", rows=None) -> bytes:
    """A blank PNG, complete, made without ever holding it; or with only some of its rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    row = bytes(1 + (width * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height if rows is None else rows))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pieces = chunk(b"IHDR", header) + more + chunk(b"IDAT", data + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + pieces + chunk(b"IEND", b"")


def text_chunk(kind: bytes, keyword: bytes) -> bytes:
    body = kind + keyword + b"\0\0" + zlib.compress(bytes(100_000_000), 9)
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def junk_chunk(length: int) -> bytes:
    """A chunk that no program knows, to make a file look as large as its picture would be."""
    body = b"juNk" + random.Random(0).randbytes(length)
    return struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body))


def saved(form: str, mode: str, **options) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (5000, 5000)).save(file, form, **options)
    return file.getvalue()


BOMBS = {
    "png-colours": lambda: png(5000, 5000, 8, 2),
    "png-bits": lambda: png(12_000, 12_000, 1, 0),
    "png-deep": lambda: png(5000, 5000, 16, 6),
    "png-text": lambda: png(64, 64, 8, 2, text_chunk(b"zTXt", b"nst_tutorial")),
    "png-profile": lambda: png(64, 64, 8, 2, text_chunk(b"iCCP", b"sRGB")),
    "png-padded": lambda: png(12_200, 12_200, 8, 6, junk_chunk(2_000_000), rows=3),
    "png-mostly-missing": lambda: png(12_000, 12_000, 8, 2, rows=3),
    "gif": lambda: saved("GIF", "P"),
    "tiff": lambda: saved("TIFF", "RGB", compression="tiff_deflate"),
    "webp": lambda: saved("WEBP", "RGB", lossless=True),
    "postscript": lambda: (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n"
        b"(/tmp/owned) (w) file closefile showpage\n%%EOF\n"
    ),
}

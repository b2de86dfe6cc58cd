"""The colour profile that our files name: sRGB, as LittleCMS builds it, without its date."""

from __future__ import annotations

from functools import lru_cache

DATE = slice(24, 36)  # of an ICC header: when the profile was made
IDENTITY = slice(84, 100)  # a checksum, or zeros


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB; the same bytes each time, so that equal runs give equal files.

    ICC.1:2022, section 7.2: the header has 128 bytes, a date and a checksum of the rest among them.
    """
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _without_date(profile)


def is_srgb(profile: bytes) -> bool:
    """Whether this is the profile above, whenever it was made: then colours need no conversion."""
    return _without_date(profile) == srgb_profile()


def _without_date(profile: bytes) -> bytes:
    data = bytearray(profile)
    for part in (DATE, IDENTITY):
        data[part] = bytes(len(data[part]))
    return bytes(data)

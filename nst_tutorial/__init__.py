"""Neural style transfer, from its equations to its limits.

    import nst_tutorial as nst
    content = nst.load_image("temple", size=512)
    style = nst.load_image("starry_night", size=512)
    result = nst.stylize(content, style)
    nst.save_image(result.image, "temple.png", result.settings)

Names are loaded when they are first used, so that importing the package costs nothing; which name
lives in which room is written in `__init__.pyi`.
"""

from importlib.metadata import version as _version

import lazy_loader as _lazy

__version__ = _version("nst_tutorial")

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)

"""Pictures: files ↔ tensors, by path or by name, at another size, in other colours.

Loaded when first used: to list the bundled pictures takes no torch.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)

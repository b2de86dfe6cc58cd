"""One kernel for each page, no more than there is memory for, and none without its page."""

from __future__ import annotations

import asyncio

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from traitlets import Float, Integer

from ...storage.private_folder import remove_abandoned


class PageKernels(AsyncMappingKernelManager):
    """Jupyter's kernels, but for when they start and end.

    Jupyter ends a kernel that is idle; one whose page is gone may go on computing for hours. Here
    it ends soon after the last connection to it. (Where a page was never connected, say since it
    was closed while it loaded, Jupyter's own look at idle kernels ends it.)
    """

    most = Integer(4, config=True, help="Kernels at a time.")
    alone = Float(15.0, config=True, help="Seconds without a page after which a kernel is ended.")
    patience = Float(20.0, config=True, help="Seconds to wait for a kernel that is being ended.")

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self._starting = 0
        self._left: dict[str, float] = {}  # when the last connection to a kernel was closed
        self._ending: set[str] = set()

    # jupyter_server annotates the methods of its asynchronous manager as if they were synchronous.
    async def start_kernel(self, **options) -> str:  # type: ignore[override]
        """Start a kernel if there may be another; an HTTPError that says so if not."""
        await self._wait_for_room()
        self._starting += 1
        try:
            return await super().start_kernel(**options)
        finally:
            self._starting -= 1

    async def shutdown_kernel(  # type: ignore[override]
        self, kernel_id: str, now: bool = False, restart: bool = False
    ) -> None:
        """End a kernel, and remove what visitors uploaded if it cannot do so itself."""
        if kernel_id in self._ending:
            return
        self._ending.add(kernel_id)
        try:
            await super().shutdown_kernel(kernel_id, now=now, restart=restart)
        finally:
            self._ending.discard(kernel_id)
            self._left.pop(kernel_id, None)
            remove_abandoned()

    def notify_connect(self, kernel_id: str) -> None:
        super().notify_connect(kernel_id)
        self._left.pop(kernel_id, None)

    def notify_disconnect(self, kernel_id: str) -> None:
        super().notify_disconnect(kernel_id)
        if kernel_id in self and not self._kernel_connections.get(kernel_id):
            left = self._left[kernel_id] = IOLoop.current().time()
            IOLoop.current().call_later(self.alone, self._end_if_alone, kernel_id, left)

    async def _end_if_alone(self, kernel_id: str, left: float) -> None:
        """End a kernel if nobody was connected since."""
        if kernel_id in self and self._left.get(kernel_id) == left:
            await self.shutdown_kernel(kernel_id)

    async def _wait_for_room(self) -> None:
        """Return when one more kernel may start. A page that is loaded anew leaves one behind."""
        end = IOLoop.current().time() + self.patience
        while len(self) + self._starting >= self.most:
            changing = self._starting or self._left or self._ending
            if not changing or IOLoop.current().time() > end:
                raise HTTPError(503, self._full)
            await asyncio.sleep(0.1)

    @property
    def _full(self) -> str:
        return (
            f"There are {self.most} pages of the studio open already, and each may take 1 GB of "
            "memory. Close one of them and load this page again; or start the studio with a larger "
            "number of --pages."
        )

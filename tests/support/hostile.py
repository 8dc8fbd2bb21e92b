"""A server of plain sockets that does what no library would: bodies without an end, a byte now and then."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SECONDS = 10


@contextmanager
def hostile(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1; gives the address.

    Args:
        answer: gets each connection after its request was read, and an event that is set at the end.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(_SECONDS)
            client.recv(65536)
            answer(client, over)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threads.append(threading.Thread(target=serve, args=(client,)))
                threads[-1].start()

    threads = [threading.Thread(target=accept)]
    threads[0].start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join(_SECONDS)

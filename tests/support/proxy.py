"""Real proxies in front of a registry: nginx that answers 503 while told to, and one that takes its time."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from support.registry import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECONDS = 10


class Gate(NamedTuple):
    """An nginx that passes on to a registry, or answers 503 while it is closed.

    Attributes:
        address: `host:port`.
        log: its access log.
        flag: while this file is there, every answer is 503.
    """

    address: str
    log: Path
    flag: Path

    def close(self) -> None:
        self.flag.touch()

    def open(self) -> None:
        self.flag.unlink()

    def pings(self) -> int:
        """How often a tool began a conversation and was turned away."""
        return sum('"GET /v2/ ' in line and '" 503 ' in line for line in self.log.read_text().splitlines())


@contextmanager
def gate(folder: Path, upstream: str) -> Iterator[Gate]:
    """Run nginx in front of a registry."""
    folder.mkdir()
    address = f"127.0.0.1:{free_port()}"
    opened = Gate(address, folder / "access.log", folder / "closed")
    config = folder / "nginx.conf"
    config.write_text(f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
  access_log {opened.log}; client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen {address};
    location / {{
      if (-f {opened.flag}) {{ return 503; }}
      proxy_pass http://{upstream}; proxy_set_header Host $http_host; proxy_request_buffering off;
    }}
  }}
}}
""")
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program, "nginx is missing: scripts/setup installs it"
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _SECONDS
        while not opened.log.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield opened
    finally:
        process.terminate()
        process.wait(_SECONDS)


@contextmanager
def slow(upstream: str, seconds: float) -> Iterator[str]:
    """Pass bytes on to a server, each answer held back for so many seconds; gives the address."""
    loop = asyncio.new_event_loop()
    host, _, port = upstream.partition(":")

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        try:
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    await asyncio.sleep(delay)
                    writer.write(data)
                    await writer.drain()
        finally:
            with suppress(ConnectionError):
                writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, up_writer, 0), pump(up_reader, writer, seconds))

    server = loop.run_until_complete(asyncio.start_server(connect, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:

        async def stop() -> None:
            server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # What was closed is gone one turn of the loop later.
            await asyncio.sleep(0.01)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_SECONDS)
        loop.close()

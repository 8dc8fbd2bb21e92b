"""nginx in front of a registry: TLS, and whatever answers a few lines of its configuration give."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from support.registry import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.authority import Certificate

_SECONDS = 10


class Front(NamedTuple):
    """A running nginx: `host:port`, and its access log."""

    address: str
    log: Path

    def requests(self) -> list[str]:
        return self.log.read_text().splitlines()


@contextmanager
def front(folder: Path, upstream: str, rules: str = "", served: Certificate | None = None) -> Iterator[Front]:
    """Run nginx.

    Args:
        folder: for its files.
        upstream: `host:port` of the registry.
        rules: lines of the configuration, before the one that passes everything on.
        served: for TLS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    running = Front(f"127.0.0.1:{port}", folder / "access.log")
    tls = f"ssl_certificate {served.file}; ssl_certificate_key {served.key};" if served else ""
    config = folder / "nginx.conf"
    config.write_text(f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}
http {{
  access_log {running.log}; client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen {running.address}{" ssl" if served else ""}; {tls}
    proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
    {rules}
    location / {{ proxy_pass http://{upstream}; }}
  }}
}}
""")
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program, "nginx is missing: scripts/setup installs it"
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _SECONDS
        while not _listens(port):
            assert time.monotonic() < deadline, (folder / "error.log").read_text()
            time.sleep(0.02)
        yield running
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False

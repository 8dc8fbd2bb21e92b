"""STS, IAM and ECR as moto has them, in a process of its own; it checks signatures and permissions if it is told to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import boto3

from support.net import forward
from support.registry import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.net import Player

ACCOUNT = "123456789012"
REGION = "eu-west-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
# What moto gives as the password of every registry of an account.
PASSWORD = f"{ACCOUNT}-auth-token"
_START_SECONDS = 60


class Aws(NamedTuple):
    """A running moto, at `host:port`."""

    address: str

    @property
    def players(self) -> dict[str, Player]:
        """Itself, under the names that are asked for a registry of `REGION`."""
        answer = forward(self.address)
        return {f"sts.{REGION}.amazonaws.com": answer, f"api.ecr.{REGION}.amazonaws.com": answer}

    def role(self, name: str, *actions: str) -> str:
        """A role that is allowed these actions; gives its ARN."""
        iam = boto3.client(
            "iam",
            endpoint_url=f"http://{self.address}",
            region_name=REGION,
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"])
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        if actions:
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
        return arn

    def check_signatures(self) -> None:
        """From now on each request has to have a signature, and its role a permission."""
        self._post("/moto-api/reset-auth", b"0")

    def reset(self) -> None:
        """Check nothing more, and forget everything."""
        self._post("/moto-api/reset-auth", b"1000000")
        self._post("/moto-api/reset", b"")

    def _post(self, path: str, body: bytes) -> None:
        headers = {"Content-Type": "text/plain"}
        request = urllib.request.Request(f"http://{self.address}{path}", body, headers, method="POST")
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            urllib.request.urlopen(f"http://{self.address}/moto-api/", timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def aws() -> Iterator[Aws]:
    """Run moto on a free port of 127.0.0.1."""
    port = free_port()
    running = Aws(f"127.0.0.1:{port}")
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not running.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("moto does not start")
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=10)

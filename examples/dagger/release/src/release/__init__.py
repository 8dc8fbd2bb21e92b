"""Files, released as one artifact to several registries at once, each with a password of its own.

    $ dagger call \
        with-registry-auth --address=ghcr.io --username=alice --secret=env://GHCR_TOKEN \
        with-registry-auth --address=harbor.example.com --username='robot$ci' --secret=env://HARBOR_TOKEN \
        push --files=dist --targets=ghcr.io/org/app:1.2.3,harbor.example.com/apps/app:1.2.3

`registry-config` mounts all credentials for each run of the tool, and every run happens: nothing comes from a cache.
In your own module: `dagger install github.com/org/registry-config-action@v1`.
"""

import asyncio
import dataclasses
from datetime import datetime, timezone
from typing import Annotated

import dagger
from dagger import DefaultAddress, Doc, dag, function, object_type
from typing_extensions import Self

_ORAS = "ghcr.io/oras-project/oras:v1.3.0@sha256:6ce045ce069a89934d6666b8b49f9c4c0145201bd6de6dbe2aee267814c55468"


@object_type
class Release:
    """Pushes an artifact to many registries."""

    tool: Annotated[dagger.Container, DefaultAddress(_ORAS), Doc("container with oras")]
    _config: dagger.RegistryConfig = dataclasses.field(default_factory=dag.registry_config, init=False)

    # What holds a secret is kept for this session only, and a push is never skipped.
    @function(cache="session")
    def with_registry_auth(self, address: str, username: str, secret: dagger.Secret) -> Self:
        """Add a credential; the last one for an address wins."""
        self._config = self._config.with_registry_auth(address, username, secret)
        return self

    @function(cache="session")
    def without_registry_auth(self, address: str) -> Self:
        """Remove the credential of a registry."""
        self._config = self._config.without_registry_auth(address)
        return self

    @function(cache="session")
    def with_service(
        self,
        name: Annotated[str, Doc("host name for oras")],
        service: Annotated[dagger.Service, Doc("tcp://host:port")],
    ) -> Self:
        """Let oras reach a service, such as a registry for tests."""
        self.tool = self.tool.with_service_binding(name, service)
        return self

    @function(cache="never")
    async def push(
        self,
        files: Annotated[dagger.Directory, Doc("what to release")],
        targets: Annotated[list[str], Doc("references, such as ghcr.io/org/app:1.2.3")],
        *,
        plain_http: Annotated[bool, Doc("the registries speak no TLS")] = False,
    ) -> list[str]:
        """Push the files to every target; the references by digest, in the order given.

        Raises:
            RuntimeError: some targets failed; the others have the artifact.
        """
        tool = self.tool.with_mounted_directory("/release", files).with_workdir("/release")
        # One time for all, or each registry would get another digest.
        created = f"--annotation=org.opencontainers.image.created={datetime.now(timezone.utc).isoformat()}"
        command = ["oras", "push", "--format=go-template={{.reference}}", created]
        if plain_http:
            command.append("--plain-http")
        names = await files.entries()
        pushes = (self._config.run(tool, [*command, target, *names]).stdout() for target in targets)
        results = await asyncio.gather(*pushes, return_exceptions=True)
        failed = [target for target, result in zip(targets, results, strict=True) if isinstance(result, Exception)]
        if failed:
            raise RuntimeError(f"not pushed: {', '.join(failed)}; the log says why")
        return [result.strip() for result in results]

"""The certificates that a command in an image is to trust: the image's own, and those of `ca-file`."""

from __future__ import annotations

from registry_config.engine.image import contents
from registry_config.engine.mounts import CONFIG_FOLDER
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.tools.table import ca_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagger

BUNDLE_FILE: Final = f"{CONFIG_FOLDER}/registry-config-ca.pem"


class Trust(NamedTuple):
    """What a run knows of certificates.

    Attributes:
        authorities: the text of each `ca-file`, by its path.
        environ: of this machine, whose certificates stand in where an image has none.
    """

    authorities: Mapping[str, str]
    environ: Mapping[str, str]


class Bundle(NamedTuple):
    """What a command's container gets, and what its variables were before.

    Attributes:
        text: certificates in PEM form; empty for a command that needs none.
        variables: those that are to lead there, each with its own value.
    """

    text: str = ""
    variables: tuple[tuple[str, str | None], ...] = ()

    def given(self, container: dagger.Container) -> dagger.Container:
        """The container with the file, as no secret, and the variables."""
        if not self.text:
            return container
        from dagger import dag  # noqa: PLC0415

        file = dag.directory().with_new_file("ca.pem", self.text).file("ca.pem")
        container = container.with_mounted_file(BUNDLE_FILE, file)
        for name, _ in self.variables:
            container = container.with_env_variable(name, BUNDLE_FILE)
        return container

    def taken_out(self, container: dagger.Container) -> dagger.Container:
        """The container as it would be without: the next command may need another one, or none."""
        if not self.text:
            return container
        container = container.without_mount(BUNDLE_FILE)
        for name, value in self.variables:
            if value is None:
                container = container.without_env_variable(name)
            else:
                container = container.with_env_variable(name, value)
        return container


async def bundle_for(container: dagger.Container, program: str, files: tuple[str, ...], trust: Trust) -> Bundle:
    """What a program in a container is to trust.

    Args:
        container: as it is before the command.
        program: decides which variables lead there.
        files: the `ca-file`s of the registries that the command may use.
        trust: what is in them.
    """
    variables = ca_variables(program)
    if not files or not variables:
        return Bundle()
    from registry_config.http.tls import SYSTEM_CERTIFICATES, bundle, own_certificates  # noqa: PLC0415  (few need it)

    named = await container.env_variable("SSL_CERT_FILE")
    text = ""
    for path in (named,) if named else SYSTEM_CERTIFICATES:
        if text := await contents(container, path):
            break
    text = bundle(text or own_certificates(trust.environ), (trust.authorities[file] for file in files))
    return Bundle(text, tuple([(name, await container.env_variable(name)) for name in variables]))

"""Which proxy a request takes: the rules of Go's httpproxy, since the tools that run afterwards follow them too.

Source: golang.org/x/net, `http/httpproxy/proxy.go`.
"""

from __future__ import annotations

import ipaddress

from registry_config.light_typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS: Final = {"http": 80, "https": 443}


def proxy_for(environ: Mapping[str, str], scheme: str, host: str, port: int | None) -> str:
    """The URL of the proxy for a request, or nothing where it goes out directly.

    Args:
        environ: the variables `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read from, in upper case first.
        scheme: `http` or `https`, of what is asked for.
        host: a name or an IP address, without brackets.
        port: None for the scheme's own.
    """
    proxy = _either(environ, f"{scheme}_proxy")
    if not proxy or is_loopback(host) or _excluded(_either(environ, "no_proxy"), host, port or _PORTS[scheme]):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Whether a host is loopback as it is written: no name but `localhost` is looked up."""
    if host.lower() == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _either(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name.upper(), "") or environ.get(name, "")


def _excluded(no_proxy: str, host: str, port: int) -> bool:
    return any(_matches(rule.strip().lower(), host.lower().rstrip("."), port) for rule in no_proxy.split(","))


def _matches(rule: str, host: str, port: int) -> bool:
    if not rule:
        return False
    if rule == "*":
        return True
    address = _address(host)
    if "/" in rule:
        return address is not None and _in_network(rule, address)
    name, wanted = _name_and_port(rule)
    if not name or wanted not in ("", str(port)):
        return False
    if (literal := _address(name)) is not None:
        return address == literal
    suffix = name.removeprefix("*")
    return address is None and (host.endswith(suffix if suffix.startswith(".") else f".{suffix}") or host == suffix)


def _name_and_port(rule: str) -> tuple[str, str]:
    """Split `name:port`, `[IPv6]:port` and an IPv6 address without a port."""
    if rule.startswith("["):
        name, _, rest = rule[1:].partition("]")
        return name, rest.removeprefix(":")
    if rule.count(":") == 1:
        name, _, port = rule.partition(":")
        return name, port
    return rule, ""


def _in_network(rule: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None

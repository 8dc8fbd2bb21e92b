"""Promise 1, for parts: what ordinary tools leave of a secret when they wrap, cut, colour, dump or quote it."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING

import pytest

from support.canaries import Canary, random_text, service_account
from support.http_server import Answer, http_server
from support.leaks import search
from support.scenario import in_action, on_command_line
from support.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.action import Action
    from support.cli import Machine

# Each prints the secret, which it takes from the config as every tool does; `U` and `T` are user and secret.
_READ = (
    f"{sys.executable} -I -c 'import base64, json, os, sys; "
    'a = json.load(open(os.environ["DOCKER_CONFIG"] + "/config.json"))["auths"]; '
    'sys.stdout.buffer.write(base64.b64decode(next(iter(a.values()))["auth"]))\''
)
_PAIR = f"C=$DOCKER_CONFIG/config.json P=$({_READ}; echo .) P=${{P%.}} U=${{P%%:*}} T=${{P#*:}}\n"
_ENTITIES = (
    "import string, sys; L = string.ascii_letters + string.digits; "
    "print(*(''.join(c if c in L else f % ord(c) for c in sys.argv[1]) for f in ('&#%d;', '&#x%x;', '&#x%X;')))"
)
_WAYS = {
    "base64": 'printf %s "$U:$T" | base64',
    "base64 of the secret alone": 'printf "a%s" "$T" | base64; printf %s "$T" | base64',
    "base64, narrow": 'printf %s "$U:$T" | base64 -w 20',
    "openssl": 'printf %s "$U:$T" | openssl base64',
    "base64 of the document": 'base64 < "$C"',
    "base64, indented": 'base64 < "$C" | sed "s/^/    /"',
    "base64, CRLF": 'base64 < "$C" | sed "s/$/\\r/"',
    "fold": 'printf %s "$T" | fold -w 40; echo; printf %s "$T" | fold -b -w 13',
    "cut at the end": 'echo "${T%????}..."',
    "cut at the start": 'echo "...${T#????}"',
    "curl": 'curl -s --trace-ascii - -u "$U:$T" "http://$SERVER/"',
    "curl, another header": 'tr -d "\\n" <<< "$T" | sed "s/^/X-Token: /" | curl -s --trace-ascii - -H @- "http://$SERVER/"',
    "strace": 'strace -s 200 -e trace=read,write cat "$C" 2>&1',
    "strace, short": 'strace -s 90 -e trace=read,write cat "$C" 2>&1',
    "grep, coloured": 'printf "%s\\n" "$T" | grep --color=always "[A-Za-z]"',
    "grep, coloured on one character": 'printf "%s\\n" "$T" | grep --color=always "[xaeiou]"',
    "declare": "declare -p T",
    "export": "export T; export -p | grep -v DOCKER",
    "printf %q": 'printf "%q\\n" "$T"',
    "printf %q, C": 'LC_ALL=C; printf "%q\\n" "$T"',
    "a trace": 'set -x; : "$T"',
    "a trace of a comparison": 'set -x; [[ x == "$T" ]] || :',
    "a trace of a match": 'set -x; [[ x =~ "$T" ]] || :',
    "echo of dash": 'dash -c \'echo "$1\\t"\' sh "$T"',
    "YAML": "printf \"password: '%s'\\n\" \"${T//\\'/\\'\\'}\"",
    "YAML of Python": f'{sys.executable} -I -c "import sys, yaml; print(yaml.dump([sys.argv[1]]))" "$T"',
    "CSV": 'printf "\\"%s\\"\\n" "${T//\\"/\\"\\"}"',
    "JSON in JSON": f'{sys.executable} -I -c "import json, sys; print(json.dumps(json.dumps(sys.argv[1])))" "$T"',
    "bytes of Python": f'{sys.executable} -I -c "import sys; print(sys.argv[1].encode())" "$T"',
    "ASCII of Python": f'{sys.executable} -I -c "import sys; print(ascii(sys.argv[1]), repr(ascii(sys.argv[1])))" "$T"',
    "standard error of Python": f"LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 "
    f'{sys.executable} -c "import os, sys; print(os.fsencode(sys.argv[1]).decode(), file=sys.stderr)" "$T"',
    "percent twice": f'{sys.executable} -I -c "import re, sys; from urllib.parse import quote as q; '
    "t = q(q(sys.argv[1], safe='')); print(t, re.sub('%..(..)?', lambda m: m[0].lower(), t))\" \"$T\"",
    "entities": f'{sys.executable} -I -c "{_ENTITIES}" "$T"',
}
_SECRETS = {
    "20 letters": lambda: random_text("letters", 20),
    "89 of base64": lambda: random_text("base64", 89),
    "93 of base64": lambda: random_text("base64", 93),
    "all signs": lambda: random_text("printable", 95),
    "wide": lambda: random_text("wide", 60),
    "3,000 of base64": lambda: random_text("base64", 3000),
    "a key of a service account": service_account,
}


@pytest.fixture(params=_SECRETS)
def secret(request: pytest.FixtureRequest) -> Canary:
    return _SECRETS[request.param]()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http_server(lambda _: Answer(200)) as started:
        yield started.address


def _script(server: str, way: str) -> str:
    return f"SERVER={server}\n{_PAIR}{way}"


@table("way", _WAYS)
def test_of_what_a_tool_makes_of_it_no_part_is_shown(machine: Machine, secret: Canary, server: str, way: str) -> None:
    seen = on_command_line(machine, secret, "bash", "-c", _script(server, way))
    # Of what is not ASCII curl itself shows dots.
    hidden = b"***" in seen.came["stdout"] + seen.came["stderr"] or (way == _WAYS["curl, another header"])
    assert (seen.code, hidden) == (0, True)
    assert seen.in_bytes(secret) == []


def test_nor_in_the_action(action: Action, machine: Machine, secret: Canary, server: str) -> None:
    script = _script(server, "".join(f"( {way} )\n" for way in _WAYS.values()))
    seen = in_action(action, machine, secret, command=script, shell="bash")  # noqa: S604  (an input)
    assert (seen.code, seen.came["log"].count(b"***") > len(_WAYS), b"***" in seen.came["output stdout"]) == (
        0,
        True,
        True,
    )
    assert seen.in_bytes(secret) == []


@table("way", _WAYS)
def test_without_redaction_each_way_shows_it(machine: Machine, server: str, way: str) -> None:
    """Without this the tests above would prove nothing: the same script, the secret not declared but in a file."""
    secret = random_text("base64", 93)
    script = _plain(machine, secret) + _script(server, way)
    shown = machine.run("bash", "-c", script, registries=[])
    assert search({"": shown.stdout + shown.stderr}, secret.password, secret.username) != []


def _plain(machine: Machine, secret: Canary) -> str:
    auth = base64.b64encode(f"{secret.username}:{secret.password}".encode()).decode()
    (machine.work / "config.json").write_text(json.dumps({"auths": {"registry.example.com": {"auth": auth}}}))
    return "export DOCKER_CONFIG=$PWD\n"

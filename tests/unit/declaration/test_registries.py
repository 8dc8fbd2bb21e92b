"""The list of registries: which YAML means what. What is refused stands in test_malformed_inputs.py."""

from __future__ import annotations

import json

import pytest

from registry_config.declaration.registries import Declaration, Purpose, decode, parse_registries, refuse_in_file
from registry_config.declaration.sources import Source
from registry_config.errors import InputError
from support.tables import exactly, table

_BOTH: frozenset[Purpose] = frozenset(("image", "command"))
_LOGIN = "- registry: a.example\n  username: alice\n"
_PEM = "-----BEGIN KEY-----\nQUJD\n-----END KEY-----\n"


def _parsed(text: str) -> tuple[Declaration, ...]:
    """Without the lines of the keys."""
    return tuple(declaration._replace(lines=()) for declaration in parse_registries(text))


def test_every_key_of_every_entry_is_read() -> None:
    text = """\
# comment
- registry: GHCR.io

- registry: index.docker.io
  username: hub
  password: "p\\"w"
- {registry: "localhost:5000", username: robot$ci, password-env: TOKEN, for: command}
-
  for: image
  password-file: /run/secrets/x
  username: "*"
  registry: localhost:5000
"""
    assert _parsed(text) == (
        Declaration(0, 2, "ghcr.io", None, Source("github-token"), _BOTH),
        Declaration(1, 4, "docker.io", "hub", Source("password", 'p"w'), _BOTH),
        Declaration(2, 7, "localhost:5000", "robot$ci", Source("password-env", "TOKEN"), frozenset(("command",))),
        Declaration(3, 9, "localhost:5000", "*", Source("password-file", "/run/secrets/x"), frozenset(("image",))),
    )


@table(
    "written, password",
    {
        "plain": ("pass", "pass"),
        "number": ("0123", "0123"),
        "float": ("1e3", "1e3"),
        "boolean": ("yes", "yes"),
        "date": ("2020-01-01", "2020-01-01"),
        "single quotes": ("'it''s'", "it's"),
        "double quotes": ('"a\\tb\\u00e4\\x41"', "a\tbäA"),
        "quoted null": ('"null"', "null"),
        "quoted tilde": ("'~'", "~"),
        "null": ("null", ""),
        "tilde": ("~", ""),
        "nothing": ("", ""),
        "quoted nothing": ('""', ""),
        "null in capitals": ("NULL", ""),
        "block": ("|\n    a\n    b", "a\nb\n"),
        "block, stripped": ("|-\n    a\n    b", "a\nb"),
        "folded": (">-\n    a\n    b", "a b"),
        "several lines": ("a\n    b", "a b"),
        "colon inside": ("a:b", "a:b"),
        "sharp inside": ("a#b", "a#b"),
        "dollar inside": ("a${B}", "a${B}"),
        "toJSON of awkward characters": (
            json.dumps("'\"\\ : # & * ! | > % @ `\n\t\u2028"),
            "'\"\\ : # & * ! | > % @ `\n\t\u2028",
        ),
        "toJSON of a key": (json.dumps(_PEM), _PEM),
        "key of a cloud": (
            '{"type": "x", "private_key": "a\\nb", "n": [1, true]}',
            '{"type":"x","private_key":"a\\nb","n":[1,true]}',
        ),
        "key of a cloud over lines": ('{\n    "é": "ü",\n    "n": 1\n  }', '{"é":"ü","n":1}'),
        "empty JSON": ("{}", "{}"),
    },
)
def test_a_password_is_the_text_that_was_meant(written: str, password: str) -> None:
    expected = (Declaration(0, 1, "a.example", "alice", Source("password", password), _BOTH),)
    assert _parsed(f"{_LOGIN}  password: {written}\n") == expected


def test_a_key_of_a_cloud_is_cut_out_at_the_right_place_after_wide_characters() -> None:
    text = '\ufeff# 密🔑é\r\n- registry: a.example\r\n  username: ü🔑\r\n  password: {"k": "密"}\r\n'
    (declaration,) = _parsed(text)
    assert declaration == Declaration(0, 2, "a.example", "ü🔑", Source("password", '{"k":"密"}'), _BOTH)


@table(
    "text",
    {
        "list": "[]",
        "with a comment": "# none\n[]\n",
        "one document": "---\n[]\n",
        "ended document": "---\n[]\n...\n",
        "byte order mark": "\ufeff[]",
        "CRLF": "[]\r\n",
    },
)
def test_an_empty_list_declares_no_registry(text: str) -> None:
    assert parse_registries(text) == ()


def test_a_json_list_is_a_list() -> None:
    entries = [{"registry": "a.example", "username": "u", "password": "p/\u2028"}]
    assert _parsed(json.dumps(entries)) == (Declaration(0, 1, "a.example", "u", Source("password", "p/\u2028"), _BOTH),)


def test_one_registry_may_have_a_login_for_the_image_and_another_for_the_command() -> None:
    text = "".join(f"{_LOGIN}  password: p\n  for: {purpose}\n" for purpose in ("image", "command"))
    assert [sorted(d.purposes) for d in parse_registries(text)] == [["image"], ["command"]]


def test_a_place_names_entry_key_and_line() -> None:
    declaration = Declaration(2, 7, "a.b", "u", Source("password", "p"), _BOTH)
    assert (declaration.place(), declaration.place("for")) == ("registries[2] (line 7)", "registries[2].for (line 7)")


def test_a_source_shows_its_kind_alone() -> None:
    assert repr(Source("password", "hunter2")) == "Source('password', …)"


@table("data", {"plain": b"- \xc3\xa4", "byte order mark": b"\xef\xbb\xbf- \xc3\xa4"})
def test_a_file_is_utf_8_with_a_byte_order_mark_or_without(data: bytes) -> None:
    assert decode(data, "x") == "- ä"


@table(
    "data, message",
    {
        "UTF-16, little end first": (b"\xff\xfea\0", "x: is UTF-16; save it as UTF-8"),
        "UTF-16, big end first": (b"\xfe\xff\0a", "x: is UTF-16; save it as UTF-8"),
        "Latin-1": (b"ab\xe4", "x: is not UTF-8 (byte 2); save it as UTF-8"),
        "cut short": (b"a\xe2\x82", "x: is not UTF-8 (byte 1); save it as UTF-8"),
    },
)
def test_another_encoding_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        decode(data, "x")


_ENTRY = "- registry: {host}\n  username: u\n  password-env: TOKEN\n"


def test_a_list_of_hosts_shares_what_its_entry_says() -> None:
    text = "- registry:\n    - us.icr.io\n    - UK.icr.io/org\n  username: u\n  password-env: TOKEN\n  for: command\n"
    first, second = parse_registries(text)
    assert (first.registry, second.registry) == ("us.icr.io", "uk.icr.io/org")
    assert first.source == second.source == Source("password-env", "TOKEN")
    assert (first.place(), second.place()) == (
        "registries[0].registry[0] (line 2)",
        "registries[0].registry[1] (line 3)",
    )
    assert first.place("password-env") == second.place("password-env") == "registries[0].password-env (line 5)"


@table(
    "registry, message",
    {
        "empty": ("[]", "registries[0].registry (line 1): is an empty list; write the registry's host"),
        "nested": (
            "[[a.example]]",
            "registries[0].registry[0] (line 1): must be a host; write a registry's host, or a list of hosts",
        ),
        "a host that is none": (
            "[a.example, b]",
            (
                "registries[0].registry[1] (line 1): has no dot and no port, so no image reference can name it; "
                "write HOST, HOST:PORT or HOST/PATH"
            ),
        ),
        "twice": (
            "[docker.io, index.docker.io]",
            (
                "registries[0].registry[1] (line 1): the same registry as registries[0].registry[0] (line 1); "
                "keep one of them"
            ),
        ),
    },
)
def test_an_item_of_a_list_of_hosts_is_named_where_it_is_wrong(registry: str, message: str) -> None:
    with pytest.raises(InputError, match=exactly(message)):
        parse_registries(_ENTRY.format(host=registry))


def test_only_ghcr_io_takes_the_jobs_token_in_a_list_too() -> None:
    with pytest.raises(InputError, match=r"only ghcr\.io goes without, with the job's own token"):
        parse_registries("- registry: [ghcr.io, a.example]\n")


def test_the_further_keys_of_an_entry_are_read() -> None:
    text = _ENTRY.format(host="a.example") + "  optional: true\n  realm: Auth.example:5000\n  ca-file: certs/ca.pem\n"
    (declaration,) = parse_registries(text)
    assert (declaration.optional, declaration.realm, declaration.ca_file) == (True, "auth.example:5000", "certs/ca.pem")
    (declaration,) = parse_registries(_ENTRY.format(host="a.example") + "  plain-http: true\n  optional: false\n")
    assert (declaration.plain_http, declaration.optional) == (True, False)


@table(
    "key, message",
    {
        "optional": ("optional: yes", "optional (line 4): must be true or false; write true, or leave the key out"),
        "plain-http": ("plain-http:", "plain-http (line 4): must be true or false; write true, or leave the key out"),
        "realm with a scheme": (
            "realm: https://a.example",
            "realm (line 4): is not a host name, with a port or without; write HOST or HOST:PORT",
        ),
        "realm that is empty": ("realm:", "realm (line 4): is empty; write its value, or leave the key out"),
        "ca-file that is empty": ("ca-file: ''", "ca-file (line 4): is empty; write its value, or leave the key out"),
        "ca-file and plain-http": (
            "ca-file: x\n  plain-http: true",
            "ca-file (line 4): cannot be combined with 'plain-http'; leave one of them out",
        ),
        "a key of a provider": (
            "audience: x",
            "audience (line 4): needs 'provider'; remove it, or name the provider it belongs to",
        ),
    },
)
def test_a_further_key_that_is_wrong_is_named(key: str, message: str) -> None:
    with pytest.raises(InputError, match=exactly(f"registries[0].{message}")):
        parse_registries(_ENTRY.format(host="a.example") + f"  {key}\n")


@pytest.mark.parametrize("host", ["ghcr.io", "quay.io"])
def test_a_forgotten_provider_is_not_made_up_for_by_the_jobs_token(host: str) -> None:
    message = "registries[0].role-to-assume (line 2): needs 'provider'; remove it, or name the provider it belongs to"
    with pytest.raises(InputError, match=exactly(message)):
        parse_registries(f"- registry: {host}\n  role-to-assume: x\n")


def test_a_credential_helper_is_a_name_alone() -> None:
    (declaration,) = parse_registries("- registry: a.example\n  credential-helper: ecr-login\n  optional: true\n")
    assert declaration.source == Source("credential-helper", "ecr-login")


@table(
    "keys, message",
    {
        "path": (
            "credential-helper: /bin/x",
            "credential-helper (line 2): is not the name of a helper; write NAME of docker-credential-NAME, no path",
        ),
        "the whole name of the program": (
            "credential-helper: docker-credential-ecr-login",
            (
                "credential-helper (line 2): is the name of the program, not of the helper; "
                "write what follows docker-credential-, such as ecr-login"
            ),
        ),
        "user": (
            "credential-helper: x\n  username: u",
            "username (line 3): cannot be combined with 'credential-helper'; the helper gives user and password",
        ),
        "realm": (
            "credential-helper: x\n  realm: a.example",
            "realm (line 3): cannot be combined with 'credential-helper'; the helper gives user and password",
        ),
    },
)
def test_a_credential_helper_with_anything_else_is_refused(keys: str, message: str) -> None:
    with pytest.raises(InputError, match=exactly(f"registries[0].{message}")):
        parse_registries(f"- registry: a.example\n  {keys}\n")


@table(
    "line, warning",
    {
        "comment": (
            "password: hunter22 #1",
            (
                "registries[0].password (line 3): what follows '#' is a comment, not part of the password; "
                "quote the password if it is"
            ),
        ),
        "expression": (
            "password: ${{ secrets.TOKEN }}",
            (
                "registries[0].password (line 3): is taken as it is written, '$' included; "
                "for a variable's value use password-env"
            ),
        ),
        "name of a variable": (
            "password: $TOKEN",
            (
                "registries[0].password (line 3): is taken as it is written, '$' included; "
                "for a variable's value use password-env"
            ),
        ),
    },
)
def test_a_password_that_may_be_meant_otherwise_is_warned_of(line: str, warning: str) -> None:
    assert [d.warnings for d in parse_registries(f"{_LOGIN}  {line}\n")] == [(warning,)]


@pytest.mark.parametrize("value", ["hunter22", "a#b", '"a #b"', "'a #b'", "|\n    a #b", "$Token1", "a$B", "null"])
def test_a_password_that_is_read_as_written_is_not_warned_of(value: str) -> None:
    assert [d.warnings for d in parse_registries(f"{_LOGIN}  password: {value}\n")] == [()]


_AS_WRITTEN = "is taken as it is written, '$' included: no variable is replaced here"


@pytest.mark.parametrize("value", ["${PW}", "'${PW}'", '"${my_token1}"'])
def test_a_placeholder_is_no_password_and_no_user(value: str) -> None:
    problem = f"registries[0].password (line 3): {_AS_WRITTEN}; name the variable with password-env"
    with pytest.raises(InputError, match=exactly(problem)):
        parse_registries(f"{_LOGIN}  password: {value}\n")
    problem = f"registries[0].username (line 2): {_AS_WRITTEN}; write the name of the user"
    with pytest.raises(InputError, match=exactly(problem)):
        parse_registries(f"- registry: a.example\n  username: {value}\n  password-env: X\n")


@table(
    "keys, refused",
    {
        "password-file": ("username: u\n  password-file: x", "password-file (line 3)"),
        "realm": ("username: u\n  password-env: X\n  realm: b.example", "realm (line 4)"),
        "helper": ("credential-helper: x", "credential-helper (line 2)"),
        "audience": ("provider: cloudsmith\n  namespace: n\n  service-slug: s\n  audience: x", "audience (line 5)"),
        "sts-endpoint": ("provider: aws\n  role-to-assume: r\n  sts-endpoint: https://x", "sts-endpoint (line 4)"),
        "id-token-env": ("provider: aws\n  role-to-assume: r\n  id-token-env: X", "id-token-env (line 4)"),
        "authority-host": (
            "provider: azure\n  client-id: c\n  tenant-id: t\n  authority-host: https://x",
            "provider (line 2)",
        ),
        "quay": ("provider: quay\n  username: u", "provider (line 2)"),
        "jfrog": ("provider: jfrog\n  oidc-provider-name: p", "provider (line 2)"),
        "azure elsewhere": ("provider: azure\n  client-id: c\n  tenant-id: t", "provider (line 2)"),
    },
)
def test_what_decides_where_an_identity_goes_is_refused_in_a_file(keys: str, refused: str) -> None:
    remedy = "use password-env" if "password-file" in refused else "write this entry in registries"
    message = f"registries[0].{refused}: is not allowed in a registries-file; {remedy}"
    with pytest.raises(InputError, match=exactly(message)):
        refuse_in_file(parse_registries(f"- registry: a.example\n  {keys}\n"))


@table(
    "entry",
    {
        "password-env": "{registry: a.example, username: u, password-env: X, ca-file: ca.pem, plain-http: false}",
        "the job's token": "{registry: ghcr.io}",
        "azure": "{registry: x.azurecr.io, provider: azure, client-id: c, tenant-id: t}",
        "aws": "{registry: a.example, provider: aws, role-to-assume: r}",
    },
)
def test_the_rest_may_stand_in_a_file(entry: str) -> None:
    refuse_in_file(parse_registries(f"- {entry}\n"))


def test_a_list_of_many_megabytes_is_refused_before_it_is_read() -> None:
    text = _ENTRY.format(host="a.example") * 200_000
    assert len(text) > 10_000_000
    message = "registries: is larger than 1 MiB; give a list of registries, and keys by password-file"
    with pytest.raises(InputError, match=exactly(message)):
        parse_registries(text)

"""Malformed inputs, each with its whole message. A token stands in every one, often where it slipped to by mistake."""

from __future__ import annotations

import json

from registry_config.declaration.inputs import PREFIX, RUNNER_FILES

TOKEN = "tOkEnGhp0123456789aBcDeFgHiJkLmNoPq"
LOGIN = "- registry: a.example\n  username: alice\n"
VALID = f"{LOGIN}  password: {TOKEN}\n"

# Remedies.
_QUOTE = "; write the value as ${{ toJSON(secrets.NAME) }}, or use password-env"
_SOURCES = "password, password-env, password-file, provider, credential-helper"
_KNOWN = f"; known keys are registry, username, {_SOURCES}, for, optional, realm, ca-file, plain-http"
_ONE_OF = f"; give exactly one of {_SOURCES}"
_SHELL = "; quote it, or set shell: bash"
_VARIABLE = f"; write ${{NAME}} and name it in env, {_SHELL[2:]}"
_NO_SECRET_HERE = "; set it under env of the step; the key takes its name, not the password itself"
_PLAIN = "; store the password as plain UTF-8 text"
_A_FILE = "; name a file that holds the password"
_A_HOST = "; write HOST, HOST:PORT or HOST/PATH"
_A_USER = "; write the name of the user"
_GIVE_IT = "; give it a value, or set on-missing: skip"
_OR_NONE = "; write [] to run without any registry"
_SAVE = "; save it as UTF-8"

# Problems.
_NO_YAML = f"not valid YAML{_QUOTE}"
_TAB = "a tab in the indentation; write spaces: YAML allows no tabs there"
_INDENT = "the indentation does not fit the lines above; begin all keys of an entry in the same column"
_NO_COLON = "a line without ': '; write 'KEY: VALUE', with a space after the colon"
_OPEN_QUOTE = f"a quote that is not closed; close it, or {_QUOTE[2:]}"
_OPEN_BRACKET = f"a '[' or '{{' that is not closed; close it, or {_QUOTE[2:]}"
_AFTER_QUOTE = f"text after a closing quote{_QUOTE}"
_ESCAPE = f"a backslash in double quotes that begins no escape sequence{_QUOTE}"
_COLON_IN_VALUE = f"a value with ': ' in it{_QUOTE}"
_CHARACTER = f"a value begins with a character that has a meaning in YAML{_QUOTE}"
_DIRECTIVE = "a line begins with a percent sign; remove it: the list needs no directives"
_AFTER_LIST = "text after the end of the list; write one list and nothing else"
_CONTROL_IN_LIST = "contains a control character; remove it, and save the list as UTF-8"
_NUL_IN_LIST = "contains a NUL character; remove it, and save the list as UTF-8"
_ANCHOR = f"anchors and aliases ('&', '*') are not supported{_QUOTE}"
_TAG = f"tags ('!') are not supported{_QUOTE}"
_DEEP = "nested too deeply; an entry is a flat mapping"
_SECOND = "a second document ('---'); write one list"
_NO_LIST = "must be a list; begin each entry with '- registry:'"
_NO_MAPPING = "must be a mapping; write 'registry: HOST' and so on"
_NO_TEXT = "must be text; write one value"
_IS_NO_HOST = "is not a host name, with a port or without"
_NO_HOST = f"{_IS_NO_HOST}{_A_HOST}"
_NO_DOT = f"has no dot and no port, so no image reference can name it{_A_HOST}"
_SCHEME = f"must be a host without a scheme, such as 'ghcr.io'{_A_HOST}"
_PATH = f"has a path that no image reference could have{_A_HOST}"
_UPPER = "has upper-case letters in its path, which must be lower case"
_NO_REFERENCE = "is not an image reference such as ghcr.io/org/tool:1.2"
_PORT = "has a port outside of 1 to 65535"
_IPV6 = "is not an IPv6 address in brackets"
_A_REFERENCE = "; write HOST/PATH:TAG or HOST/PATH@DIGEST"
_COLON = f"must not contain ':' (user and password are joined by it){_A_USER}"
_CONTROL = f"must not contain a control character{_A_USER}"
_NO_USER = "'username' is missing; add it: the password alone is no login"
_NO_VARIABLE = f"no such variable in the environment{_NO_SECRET_HERE}"
_WORKSPACE = (
    "lies in the workspace, which another's commit may have written ({}); use registries, or a file from elsewhere"
)
_PURPOSE = "must be 'image' or 'command'; leave it out for both"
_NO_NAME = "is not the name of a variable; write NAME or NAME=value"
_NOT_SET = "no such variable in the environment; set it under env of the step"
_STRAY = "command line: an unknown option or extra arguments"


def at_command_line(message: str) -> str:
    """A message about a list, or about a variable, as a command line shows it."""
    for workflow, here in (
        ("write the value as ${{ toJSON(secrets.NAME) }}", "write the value in single quotes, each ' in it twice"),
        ("set it under env of the step", "set and export it first"),
        ("set on-missing: skip", "set --on-missing skip"),
        ("with the job's own token", "with --github-token-env"),
    ):
        message = message.replace(workflow, here)
    return message


def _host(address: str) -> str:
    return f"- registry: {address}\n  username: alice\n  password: {TOKEN}\n"


def _user(name: str) -> str:
    return f"- registry: a.example\n  username: {name}\n  password: {TOKEN}\n"


def _key(key: str) -> str:
    return f"{LOGIN}  {key}: {TOKEN}\n"


# Name: place and problem of the message, text of the list.
SYNTAX = {
    "tab as indent": ("registries (line 1)", _TAB, f"\t- registry: {TOKEN}"),
    "tab before a key": ("registries (line 2)", _TAB, f"- registry: a.example\n\tusername: {TOKEN}\n"),
    "open double quote": ("registries (line 3)", _OPEN_QUOTE, f'{LOGIN}  password: "{TOKEN}\n'),
    "open single quote": ("registries (line 3)", _OPEN_QUOTE, f"{LOGIN}  password: '{TOKEN}\n"),
    "open bracket": ("registries (line 1)", _OPEN_BRACKET, f"[{{registry: {TOKEN}}}\n"),
    "open brace": ("registries (line 1)", _OPEN_BRACKET, f"- {{registry: {TOKEN}\n"),
    "bracket closed by a brace": ("registries (line 1)", _OPEN_BRACKET, f"[{TOKEN}}}"),
    "closing bracket alone": ("registries (line 1)", _CHARACTER, f"] {TOKEN}"),
    "keys out of line": ("registries (line 2)", _INDENT, f"- registry: a.example\n   username: {TOKEN}\n"),
    "key before its entry": ("registries (line 2)", _INDENT, f"- registry: a.example\nusername: {TOKEN}\n"),
    "value begins with a percent sign": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: %{TOKEN}\n"),
    "value begins with an at sign": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: @{TOKEN}\n"),
    "value begins with a backtick": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: `{TOKEN}\n"),
    "value begins with a bar": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: |{TOKEN}\n"),
    "value begins with a greater sign": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: >{TOKEN}\n"),
    "value begins with a dash": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: - {TOKEN}\n"),
    "value begins with a brace": ("registries (line 3)", _OPEN_BRACKET, f"{LOGIN}  password: {{{TOKEN}\n"),
    "value begins with a bracket": ("registries (line 3)", _OPEN_BRACKET, f"{LOGIN}  password: [{TOKEN}\n"),
    "colon and space in a value": ("registries (line 3)", _COLON_IN_VALUE, f"{LOGIN}  password: {TOKEN}: x\n"),
    "bad escape": ("registries (line 3)", _ESCAPE, f'{LOGIN}  password: "{TOKEN}\\q"\n'),
    "bad hexadecimal escape": ("registries (line 3)", _ESCAPE, f'{LOGIN}  password: "{TOKEN}\\uZZZZ"\n'),
    "half of a pair of escapes": ("registries (line 3)", _ESCAPE, f'{LOGIN}  password: "{TOKEN}\\ud800"\n'),
    "text after a quote": ("registries (line 3)", _AFTER_QUOTE, f'{LOGIN}  password: "x" {TOKEN}\n'),
    "no colon": ("registries (line 2)", _NO_COLON, f"- registry: a.example\n  {TOKEN}x\n  username: u\n"),
    "control character": ("registries (line 3)", _CONTROL_IN_LIST, f"{LOGIN}  password: {TOKEN}\x01\n"),
    "escape character": ("registries (line 3)", _CONTROL_IN_LIST, f"{LOGIN}  password: {TOKEN}\x1b[0m\n"),
    "delete character": ("registries (line 3)", _CONTROL_IN_LIST, f"{LOGIN}  password: {TOKEN}\x7f\n"),
    "character that is none": ("registries (line 3)", _CONTROL_IN_LIST, f"{LOGIN}  password: {TOKEN}\ufffe\n"),
    "YAML of another major version": ("registries (line 1)", _DIRECTIVE, f"%YAML 9.9\n--- # {TOKEN}\n[]\n"),
    "directive alone": ("registries (line 1)", _DIRECTIVE, f"%{TOKEN}"),
    "handle of a tag that is not there": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: !x!{TOKEN} y\n"),
    "anchor without a name": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: & {TOKEN}\n"),
    "text after the end": ("registries (line 2)", _AFTER_LIST, f"[]\n... {TOKEN}\n"),
    "text after the list": ("registries (line 1)", _AFTER_LIST, f"[] {TOKEN}\n"),
    "anchor": ("registries (line 3)", _ANCHOR, f"{LOGIN}  password: &{TOKEN} x\n"),
    "value begins with an ampersand": ("registries (line 3)", _ANCHOR, f"{LOGIN}  password: &{TOKEN}\n"),
    "value begins with a star": ("registries (line 3)", _ANCHOR, f"{LOGIN}  password: *{TOKEN}\n"),
    "anchor of the list": ("registries (line 1)", _ANCHOR, f"&all [{{password: {TOKEN}}}]\n"),
    "anchor of an entry": ("registries (line 1)", _ANCHOR, f"- &{TOKEN} {{registry: a.example}}\n"),
    "anchor of a key": ("registries (line 1)", _ANCHOR, f"- &{TOKEN} registry: a.example\n"),
    "alias as a key": ("registries (line 1)", _ANCHOR, f"- *{TOKEN} : a.example\n"),
    "alias as an entry": ("registries (line 4)", _ANCHOR, f"{VALID}- *{TOKEN}\n"),
    "merge of an alias": ("registries (line 1)", _ANCHOR, f"- &x {{password: {TOKEN}}}\n- <<: *x\n"),
    "billion laughs": ("registries (line 1)", _ANCHOR, f"- &a [{TOKEN}]\n- &b [*a,*a]\n- &c [*b,*b]\n"),
    "tag of a text": ("registries (line 3)", _TAG, f"{LOGIN}  password: !!str {TOKEN}\n"),
    "tag of our own": ("registries (line 3)", _TAG, f"{LOGIN}  password: !{TOKEN} x\n"),
    "value begins with an exclamation mark": ("registries (line 3)", _TAG, f"{LOGIN}  password: !{TOKEN}\n"),
    "tag without a name": ("registries (line 3)", _TAG, f"{LOGIN}  password: ! {TOKEN}\n"),
    "tag in full": ("registries (line 3)", _TAG, f"{LOGIN}  password: !<tag:a.example,2000:{TOKEN}> x\n"),
    "binary": ("registries (line 3)", _TAG, f"{LOGIN}  password: !!binary {TOKEN}\n"),
    "object of Python": ("registries (line 1)", _TAG, f"!!python/object/apply:os.system [touch marker, {TOKEN}]\n"),
    "tag of an entry": ("registries (line 1)", _TAG, f"- !x {{registry: a.example, password: {TOKEN}}}\n"),
    "tag of a key": ("registries (line 1)", _TAG, f"- !!str registry: {TOKEN}\n"),
    "tag of nothing": ("registries (line 3)", _TAG, f"{LOGIN}  password: !!null # {TOKEN}\n"),
    "second document": ("registries (line 4)", _SECOND, f"{VALID}---\n[]\n"),
    "second document without an end of the first": ("registries (line 3)", _SECOND, f"--- []\n# {TOKEN}\n--- []\n"),
    "second document after an end": ("registries (line 3)", _SECOND, f"[]\n...\n--- [{TOKEN}]\n"),
    "entry after the end": ("registries (line 3)", _AFTER_LIST, f"[]\n...\n- {TOKEN}\n"),
    "thirteen brackets": ("registries (line 1)", _DEEP, "[" * 13 + TOKEN + "]" * 13),
    "thousands of brackets": ("registries (line 1)", _DEEP, "[" * 9999 + TOKEN),
    "thirteen dashes": ("registries (line 1)", _DEEP, "- " * 13 + TOKEN),
    "deep JSON": ("registries (line 3)", _DEEP, LOGIN + "  password: " + '{"a":' * 11 + TOKEN + "}" * 11),
    "value runs to the next quote": (
        "registries (line 2)",
        _OPEN_QUOTE,
        f'- registry: a.example\n  username: "alice\n  password: "{TOKEN}"\n',
    ),
    "apostrophe in single quotes": ("registries (line 3)", _AFTER_QUOTE, f"{LOGIN}  password: 'it's {TOKEN}'\n"),
    "tab after a dash": ("registries (line 1)", _TAB, f"-\tregistry: {TOKEN}\n"),
    "tab among spaces": ("registries (line 3)", _TAB, f"{LOGIN} \t password: {TOKEN}\n"),
    "key too far right": ("registries (line 3)", _INDENT, f"{LOGIN}    password: {TOKEN}\n"),
    "key too far left": ("registries (line 2)", _INDENT, f"- registry: a.example\n username: {TOKEN}\n"),
    "entry too far right": ("registries (line 4)", _INDENT, f"{VALID}  - registry: b.example\n"),
    "entry too far left": ("registries (line 2)", _INDENT, f"  - registry: {TOKEN}\n- registry: b.example\n"),
    "no colon after the first key": ("registries (line 1)", _NO_COLON, f"- registry {TOKEN}\n  username: u\n"),
    "no colon in the last line": ("registries (line 3)", _NO_COLON, f"{LOGIN}  password {TOKEN}\n"),
    "no colon before a comment": ("registries (line 1)", _NO_COLON, f"- registry {TOKEN}\n# x\n  username: u\n"),
    "no space after a colon": (
        "registries (line 2)",
        _NO_COLON,
        f"- registry: a.example\n  username:{TOKEN}\n  for: x\n",
    ),
    "value begins with a closing bracket": ("registries (line 3)", _CHARACTER, f"{LOGIN}  password: ]{TOKEN}\n"),
    "byte order mark in the middle": (
        "registries (line 3)",
        "contains a byte order mark; remove it, and save the list as UTF-8",
        f"{LOGIN}  password: \ufeff{TOKEN}\n",
    ),
    "second list after a tab": ("registries (line 1)", _AFTER_LIST, f"[] [{TOKEN}]\n"),
    "more than a mebibyte": (
        "registries",
        "is larger than 1 MiB; give a list of registries, and keys by password-file",
        f"# {TOKEN}\n" * 40_000,
    ),
}
SHAPE = {
    "comment alone": ("registries", f"is empty{_OR_NONE}", f"# {TOKEN}\n"),
    "document with a comment": ("registries", f"is empty{_OR_NONE}", f"--- # {TOKEN}\n"),
    "null": ("registries", f"is empty{_OR_NONE}", f"null # {TOKEN}\n"),
    "tilde": ("registries", f"is empty{_OR_NONE}", f"~ # {TOKEN}\n"),
    "byte order mark and a comment": ("registries", f"is empty{_OR_NONE}", f"\ufeff# {TOKEN}\n"),
    "text": ("registries (line 1)", _NO_LIST, TOKEN),
    "quoted text": ("registries (line 2)", _NO_LIST, f"\n'{TOKEN}'"),
    "quoted nothing": ("registries (line 1)", _NO_LIST, f"'' # {TOKEN}"),
    "block of text": ("registries (line 1)", _NO_LIST, f"|\n  - registry: {TOKEN}\n"),
    "one mapping": ("registries (line 1)", _NO_LIST, f"registry: a.example\nusername: u\npassword: {TOKEN}\n"),
    "hosts as keys": ("registries (line 2)", _NO_LIST, f"# x\na.example: {{alice: {TOKEN}}}\n"),
    "config.json itself": ("registries (line 1)", _NO_LIST, json.dumps({"auths": {"a.example": {"auth": TOKEN}}})),
    "entry is a text": ("registries[0] (line 1)", _NO_MAPPING, f"- {TOKEN}\n"),
    "entry is quoted": ("registries[1] (line 4)", _NO_MAPPING, f"{VALID}- '{TOKEN}'\n"),
    "entry is a list": ("registries[0] (line 1)", _NO_MAPPING, f"- [registry, {TOKEN}]\n"),
    "entry is a list of entries": ("registries[0] (line 1)", _NO_MAPPING, f"- - registry: {TOKEN}\n"),
    "entry is nothing": ("registries[0] (line 1)", _NO_MAPPING, f"- # {TOKEN}\n"),
    "entry is a block": ("registries[0] (line 1)", _NO_MAPPING, f"- |\n  registry: {TOKEN}\n"),
    "no space after the colon": ("registries[0] (line 1)", _NO_MAPPING, f"- registry:{TOKEN}\n"),
}
KEYS = {
    "token as a key": ("registries[0] (line 3)", f"unknown key{_KNOWN}", f"{LOGIN}  {TOKEN}: password\n"),
    "token as the only key": ("registries[0] (line 1)", f"unknown key{_KNOWN}", f"- {TOKEN}:\n"),
    "quoted token as a key": ("registries[0] (line 3)", f"unknown key{_KNOWN}", f"{LOGIN}  '{TOKEN}': x\n"),
    "token in brackets as a key": ("registries[0] (line 3)", f"unknown key{_KNOWN}", f"{LOGIN}  [{TOKEN}]: x\n"),
    "token in braces as a key": ("registries[0] (line 1)", f"unknown key{_KNOWN}", f"- {{{{{TOKEN}: 1}}: x}}\n"),
    "token as a key with a question mark": ("registries[0] (line 3)", f"unknown key{_KNOWN}", f"{LOGIN}  ? {TOKEN}\n"),
    "token runs into the key": ("registries[0] (line 3)", f"unknown key{_KNOWN}", f"{LOGIN}  password{TOKEN}: x\n"),
    "token and key with an equals sign": (
        "registries[0] (line 3)",
        f"unknown key{_KNOWN}",
        f"{LOGIN}  password={TOKEN}: \n",
    ),
    "empty key": ("registries[0] (line 3)", f"unknown key{_KNOWN}", _key('""')),
    "null key": ("registries[0] (line 3)", f"unknown key{_KNOWN}", _key("~")),
    "key left out": ("registries (line 3)", _NO_YAML, f"{LOGIN}  : {TOKEN}\n"),
    "merge of a mapping": ("registries[0] (line 3)", f"unknown key{_KNOWN}", f"{LOGIN}  <<: {{password: {TOKEN}}}\n"),
    "token in a key of the second entry": (
        "registries[1] (line 5)",
        f"unknown key{_KNOWN}",
        f"{VALID}-\n  {TOKEN}: x\n",
    ),
    **{
        f"key {key}, far from any": ("registries[0] (line 3)", f"unknown key{_KNOWN}", _key(key))
        for key in (
            "token",
            "host",
            "auth",
            "registries",
            "PASSWORD",
            "identitytoken",
            "password-environment",
        )
    },
    **{
        f"key {key}, near to {near}": (
            "registries[0] (line 3)",
            f"unknown key '{key}'; did you mean '{near}'?",
            _key(key),
        )
        for key, near in {
            "passwrd": "password",
            "Password": "password",
            "password ": "password",
            "pasword": "password",
            "password_env": "password-env",
            "passwordenv": "password-env",
            "password-file-": "password-file",
            "password.file": "password-file",
            "user-name": "username",
            "Username": "username",
            "usernme": "username",
            "registy": "registry",
            "regsitry": "registry",
            "Registry": "registry",
            "far": "for",
            "fro": "for",
            "user": "username",
            "pass": "password",
        }.items()
        if key.strip() == key
    },
    "password twice": (
        "registries[0] (line 4)",
        "key 'password' appears twice; keep one of them",
        f"{LOGIN}  password: x\n  password: {TOKEN}\n",
    ),
    "registry twice": (
        "registries[0] (line 3)",
        "key 'registry' appears twice; keep one of them",
        f"{LOGIN}  registry: {TOKEN}\n",
    ),
    "username twice, in one line": (
        "registries[0] (line 1)",
        "key 'username' appears twice; keep one of them",
        f"- {{username: a, username: {TOKEN}}}\n",
    ),
    "for twice": (
        "registries[0] (line 5)",
        "key 'for' appears twice; keep one of them",
        f"{VALID}  for: image\n  for: image\n",
    ),
    "no registry": (
        "registries[0] (line 1)",
        "'registry' is missing; add 'registry: HOST'",
        f"- username: alice\n  password: {TOKEN}\n",
    ),
    "empty mapping": ("registries[0] (line 1)", "'registry' is missing; add 'registry: HOST'", f"- {{}} # {TOKEN}\n"),
    "registry alone": (
        "registries[0] (line 1)",
        "'username' and a password are missing; add them: only ghcr.io goes without, with the job's own token",
        f"- registry: {TOKEN}.example\n",
    ),
    "ghcr.io with a port alone": (
        "registries[0] (line 1)",
        "'username' and a password are missing; add them: only ghcr.io goes without, with the job's own token",
        f"- registry: ghcr.io:443 # {TOKEN}\n",
    ),
    "no password": ("registries[0] (line 1)", f"no password{_ONE_OF}", f"{LOGIN}  # password: {TOKEN}\n"),
    "no password for ghcr.io": (
        "registries[0] (line 2)",
        f"no password{_ONE_OF}",
        f"# {TOKEN}\n- registry: ghcr.io\n  username: octocat\n",
    ),
    "no user": ("registries[0] (line 1)", _NO_USER, f"- registry: a.example\n  password: {TOKEN}\n"),
    "no user for ghcr.io": (
        "registries[0] (line 1)",
        _NO_USER,
        f"- registry: ghcr.io\n  password: {TOKEN}\n",
    ),
    "password and variable": (
        "registries[0] (line 1)",
        f"'password' and 'password-env'{_ONE_OF}",
        f"{VALID}  password-env: SET\n",
    ),
    "password and file": (
        "registries[0] (line 1)",
        f"'password' and 'password-file'{_ONE_OF}",
        f"{VALID}  password-file: good\n",
    ),
    "variable and file": (
        "registries[0] (line 1)",
        f"'password-env' and 'password-file'{_ONE_OF}",
        f"{LOGIN}  password-env: SET\n  password-file: {TOKEN}\n",
    ),
    "all three": (
        "registries[0] (line 1)",
        f"'password' and 'password-env' and 'password-file'{_ONE_OF}",
        f"{VALID}  password-env: SET\n  password-file: good\n",
    ),
    "an empty password beside a variable": (
        "registries[0] (line 1)",
        f"'password' and 'password-env'{_ONE_OF}",
        f"{LOGIN}  password:\n  password-env: {TOKEN}\n",
    ),
}
HOSTS = {
    **{
        f"host {address!r}": ("registries[0].registry (line 1)", problem, _host(address))
        for problem, addresses in {
            "is empty; write the registry's host, for Docker Hub docker.io": ("", "null", "~", '""', "'  '"),
            "must be a host; write a registry's host, or a list of hosts": ("{a.example: 1}",),
            _NO_DOT: (TOKEN, "ghcr", "'0'", "true"),
            _SCHEME: (
                "https://ghcr.io",
                f"https://{TOKEN}@a.example",
                "oci://a.example",
                "oci://index.docker.io",
                f"docker://a.example/{TOKEN}",
            ),
            _PATH: (f"ghcr.io/{TOKEN}_", "ghcr.io//x"),
            f"{_UPPER}{_A_HOST}": ("ghcr.io/Org", f"ghcr.io/{TOKEN}"),
            f"{_PORT}{_A_HOST}": ("a.example:0", "a.example:65536", "localhost:99999", '"[::1]:0"'),
            f"{_IPV6}{_A_HOST}": ('"[:::1]"', '"[1:2]"', '"[::1::2]:443"'),
            _NO_HOST: (
                f"alice:{TOKEN}@a.example",
                f"a.example:{TOKEN}",
                f"{TOKEN}_x",
                f"{TOKEN}{TOKEN}.example",
                "'a.example:'",
                ":5000",
                "a.example:-1",
                "a.example:123456",
                "a.example:80:80",
                "a_b.example",
                "-a.example",
                "a-.example",
                "a..example",
                ".a.example",
                "a.example.",
                "'*.example'",
                "'a .example'",
                '"a.example\\0"',
                '"a\\n.example"',
                "bücher.example",
                "a.example:\u0665",
                "🔑.example",
                "::1",
                "'[::1'",
                f"'[::1]{TOKEN}'",
                "'[fe80::1%eth0]'",
                "'[]'",
                '"[127.0.0.1]"',
                f"{'a.' * 130}example",
                "'${{ vars.HOST }}'",
            ),
        }.items()
        for address in addresses
    },
}
HOSTS |= {
    "an empty list of hosts": (
        "registries[0].registry (line 1)",
        "is an empty list; write the registry's host",
        _host("[]"),
    ),
    "a list in a list of hosts": (
        "registries[0].registry[1] (line 1)",
        "must be a host; write a registry's host, or a list of hosts",
        _host("[a.example, [b.example]]"),
    ),
    "a token in a list of hosts": ("registries[0].registry[0] (line 1)", _NO_DOT, _host(f"[{TOKEN}]")),
    "a host in lines": ("registries[0].registry[1] (line 3)", _NO_DOT, _host("\n    - a.example\n    - b")),
}
USERS = {
    f"user {name!r}": ("registries[0].username (line 2)", problem, _user(name))
    for problem, names in {
        f"is empty{_A_USER}": ("", "null", '""', "''"),
        _NO_TEXT: ("[alice]", "{alice: x}", f"{{{TOKEN}: }}"),
        _COLON: (f"alice:{TOKEN}", "':'", f'"{TOKEN}:"', "'a: b'"),
        _CONTROL: (
            '"alice\\n"',
            '"\\talice"',
            '"al\\0ice"',
            f'"{TOKEN}\\e[0m"',
            '"alice\\x7f"',
            '"alice\\N"',
            '"alice\\L"',
            "|\n    alice",
        ),
    }.items()
    for name in names
}
# A password is looked for once the whole list is read; what is wrong with it is said of its entry.
SOURCES = {
    **{
        f"password {written!r}": (
            f"registries[0].password (line {line})",
            problem,
            f"{LOGIN}  password: {written} # {TOKEN}\n",
        )
        for (line, problem), writings in {
            (3, f"the password for a.example is empty{_GIVE_IT}"): ('""', "''", '"\\n"', '"\\r\\n"'),
            (3, f"the password for a.example is empty: what follows '#' is a comment{_GIVE_IT}"): ("", "null", "~"),
            (3, f"must be text{_QUOTE}"): ("[x]", f"[{TOKEN}]"),
            (3, f"is a mapping, not text{_QUOTE}"): (
                f"{{{TOKEN}}}",
                "{a: b}",
                f"{{{{ secrets.{TOKEN} }}}}",
                '{"a": "b",}',
                "{'a': 'b'}",
                '{"a": 01}',
            ),
            (3, f"contains a NUL byte, which tools trim away{_PLAIN}"): ('"\\0"', f'"{TOKEN}\\0"', f'"{TOKEN}\\0\\n"'),
        }.items()
        for written in writings
    },
    "password as a mapping in lines": (
        "registries[0].password (line 4)",
        f"is a mapping, not text{_QUOTE}",
        f"{LOGIN}  password:\n    private_key: {TOKEN}\n",
    ),
    **{
        f"variable {name!r}": (
            f"registries[0].password-env (line {line})",
            problem,
            f"{LOGIN}  password-env: {name} # {TOKEN}\n",
        )
        for (line, problem), names in {
            (3, "is empty; write the name of a variable, not the password itself"): ("", "null", '""'),
            (3, f"the password for a.example is empty: the variable EMPTY is set to nothing{_GIVE_IT}"): ("EMPTY",),
            (3, f"the password for a.example is empty: the variable NEWLINE is set to nothing{_GIVE_IT}"): ("NEWLINE",),
            (3, _NO_VARIABLE): (
                # Three letters in common, or a variable of the system's own.
                *("' SET'", "Set", "HOMES", "PATHS"),
                TOKEN,
                f"${TOKEN}",
                f"${{{{ secrets.{TOKEN} }}}}",
                "' HARBOR TOKEN '",
                f"'SET={TOKEN}'",
                "passwörter",
            ),
            (3, "no such variable in the environment; did you mean 'HARBOR_TOKEN'?"): (
                *("HARBOR_TOKN", "HARBORTOKEN", "' HARBOR_TOKEN'", "'HARBOR_TOKEN=1'", '"HARBOR_TOKEN\\0"'),
            ),
            (3, f"is not valid UTF-8, which some tools could not send{_PLAIN}"): ("LATIN",),
            (3, _NO_TEXT): ("[SET]", "{SET: 1}"),
        }.items()
        for name in names
    },
    **{
        f"file {path!r}": (
            f"registries[0].password-file (line {line})",
            problem,
            f"{LOGIN}  password-file: {path} # {TOKEN}\n",
        )
        for (line, problem), paths in {
            (3, "is empty; write the path of a file, not the password itself"): ("", "null", "''"),
            (3, f"the password for a.example is empty{_GIVE_IT}"): ("empty", "newline", "./empty"),
            (3, f"is not an ordinary file{_A_FILE}"): ("folder", "pipe", "/dev/null", "."),
            (3, f"is larger than 1 MiB, so not a password{_A_FILE}"): ("large",),
            (3, f"is not valid UTF-8, which some tools could not send{_PLAIN}"): ("binary", "utf16"),
            (3, f"contains a NUL byte, which tools trim away{_PLAIN}"): ("nul",),
            (3, f"cannot be read (no such file or directory){_A_FILE}"): (
                TOKEN,
                f"/run/{TOKEN}",
                "dangling",
                "${HOME}/x",
                "~/x",
            ),
            (3, f"cannot be read (not a directory){_A_FILE}"): ("empty/x",),
            (3, f"cannot be read (too many levels of symbolic links){_A_FILE}"): ("loop",),
            (3, f"cannot be read (file name too long){_A_FILE}"): (TOKEN * 10,),
            (3, f"cannot be read (no such device or address){_A_FILE}"): ("socket",),
            (3, f"cannot be read (not a path){_A_FILE}"): ('"good\\0"',),
            (3, _NO_TEXT): ("[good]", "{good: 1}"),
        }.items()
        for path in paths
    },
    **{
        f"for {purpose!r}": ("registries[0].for (line 4)", problem, f"{VALID}  for: {purpose}\n")
        for problem, purposes in {
            _PURPOSE: ("", "both", "Image", "images", "'image, command'", "image command", TOKEN),
            _NO_TEXT: ("[image, command]", "{image: true}"),
        }.items()
        for purpose in purposes
    },
    **{
        f"{second} after {first}": (
            "registries[1] (line 4)",
            "the same registry as registries[0] (line 1); keep one of them",
            _host(first) + _host(second),
        )
        for first, second in (
            ("a.example", "a.example"),
            ("a.example", "A.Example"),
            ("docker.io", "index.docker.io"),
            ("registry-1.docker.io", "docker.io"),
            ("https://index.docker.io/v1/", "Docker.IO"),
            ("index.docker.io", "HTTPS://index.docker.io/v1/"),
            ("localhost:5000", '" localhost:5000 "'),
        )
    },
    "the same host for everything and for the image": (
        "registries[2] (line 7)",
        "the same registry as registries[0] (line 1); keep one of them",
        f"{VALID}{_host('b.example')}{VALID}  for: image\n",
    ),
    "the same host twice for the command": (
        "registries[1] (line 5)",
        "the same registry as registries[0] (line 1); keep one of them",
        f"{VALID}  for: command\n{VALID}  for: command\n",
    ),
    "the second entry is the wrong one": (
        "registries[1].password-env (line 6)",
        _NO_VARIABLE,
        f"{VALID}- registry: b.example\n  username: alice\n  password-env: {TOKEN}\n",
    ),
}
REGISTRIES = SYNTAX | SHAPE | KEYS | HOSTS | USERS | SOURCES

# Name: message, bytes of the list.
ENCODINGS = {
    "UTF-16, little end first": (f"--registries: is UTF-16{_SAVE}", VALID.encode("utf-16")),
    "UTF-16, big end first": (f"--registries: is UTF-16{_SAVE}", b"\xfe\xff" + VALID.encode("utf-16-be")),
    "UTF-16 without a mark": (f"registries (line 1): {_NUL_IN_LIST}", VALID.encode("utf-16-le")),
    "UTF-32": (f"--registries: is UTF-16{_SAVE}", VALID.encode("utf-32")),
    "UTF-32, big end first": (
        f"--registries: is not UTF-8 (byte 2){_SAVE}",
        b"\0\0\xfe\xff" + VALID.encode("utf-32-be"),
    ),
    "Latin-1": (
        f"--registries: is not UTF-8 (byte 4){_SAVE}",
        b"- x \xe4" + TOKEN.encode(),
    ),
    "overlong": (f"--registries: is not UTF-8 (byte 2){_SAVE}", b"# \xc0\x80" + TOKEN.encode()),
    "half of a surrogate pair": (f"--registries: is not UTF-8 (byte 2){_SAVE}", b"# \xed\xa0\x80" + TOKEN.encode()),
    "cut short": (f"--registries: is not UTF-8 (byte {len(TOKEN)}){_SAVE}", TOKEN.encode() + b"\xe2\x82"),
    "beyond Unicode": (f"--registries: is not UTF-8 (byte 0){_SAVE}", b"\xf5\x80\x80\x80" + TOKEN.encode()),
    "NUL byte": (f"registries (line 3): {_NUL_IN_LIST}", f"{LOGIN}  password: {TOKEN}\0\n".encode()),
    "NUL byte after the list": (f"registries (line 2): {_NUL_IN_LIST}", f"[] # {TOKEN}\n\0".encode()),
    "compressed": (f"--registries: is not UTF-8 (byte 1){_SAVE}", b"\x1f\x8b\x08\0" + TOKEN.encode()),
    "nothing": (f"registries: is empty{_OR_NONE}", b""),
    "a byte order mark alone": (f"registries: is empty{_OR_NONE}", b"\xef\xbb\xbf"),
    "blank lines": (f"registries: is empty{_OR_NONE}", b"\n  \n"),
}

_FIRST = "touch marker\n"
_SHOWN = (
    "contains a secret, which the list of processes would show; "
    "name its variable in secret-env, and let the tool read that"
)
_OURS = "this variable is the runner's own; leave it out"
# Name: message, inputs of the action beside a valid list, variables of the step.
ACTION: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    **{
        f"command {text!r}": (f"command{place}: {problem}", {"command": text}, {"OTHER": TOKEN})
        for place, problem, text in (
            ("", "is empty; write the command to run", ""),
            ("", "is empty; write the command to run", " \t\n"),
            ("", "is empty; write the command to run", f"# {TOKEN}\n"),
            ("", "is empty; write the command to run", "\\\n\\\n"),
            (" (line 2, column 6)", f"'|' needs a shell{_SHELL}", f"{_FIRST}echo | {TOKEN}"),
            (" (line 2, column 6)", f"'&' needs a shell{_SHELL}", f"{_FIRST}echo && {TOKEN}"),
            (" (line 1, column 13)", f"'&' needs a shell{_SHELL}", f"touch marker& {TOKEN}"),
            (" (line 1, column 13)", f"';' needs a shell{_SHELL}", f"touch marker;{TOKEN}"),
            (" (line 2, column 4)", f"'<' needs a shell{_SHELL}", f"{_FIRST}cat<{TOKEN}"),
            (" (line 2, column 6)", f"'>' needs a shell{_SHELL}", f"{_FIRST}echo > {TOKEN}"),
            (" (line 2, column 7)", f"'>' needs a shell{_SHELL}", f"{_FIRST}echo 2>{TOKEN}"),
            (" (line 2, column 1)", f"'(' needs a shell{_SHELL}", f"{_FIRST}({TOKEN})"),
            (" (line 2, column 36)", f"')' needs a shell{_SHELL}", f"{_FIRST}{TOKEN})"),
            (" (line 2, column 6)", f"'`' needs a shell{_SHELL}", f"{_FIRST}echo `{TOKEN}`"),
            (" (line 2, column 7)", f"'`' needs a shell{_SHELL}", f'{_FIRST}echo "`{TOKEN}`"'),
            (" (line 2, column 1)", f"a leading '~' needs a shell{_SHELL}", f"{_FIRST}~{TOKEN}"),
            (
                " (line 2, column 6)",
                "this quote is not closed on its line; close it, or set shell: bash",
                f"{_FIRST}echo '{TOKEN}",
            ),
            (
                " (line 2, column 6)",
                "this quote is not closed on its line; close it, or set shell: bash",
                f'{_FIRST}echo "{TOKEN}\n"',
            ),
            (
                " (line 2, column 6)",
                "this variable is not declared in the input env; name it in the input env (under with:)",
                f"{_FIRST}echo ${{{TOKEN}}}",
            ),
            (
                " (line 2, column 6)",
                "${OTHER} is not declared in the input env; name it in the input env (under with:)",
                f"{_FIRST}echo ${{OTHER}}",
            ),
            *(
                (" (line 2, column 6)", f"'$' needs a shell, except in ${{NAME}}{_VARIABLE}", f"{_FIRST}echo {text}")
                for text in (
                    f"${TOKEN}",
                    f"$({TOKEN})",
                    f"$$ {TOKEN}",
                    f"${{}} {TOKEN}",
                    f"${{1}} {TOKEN}",
                    f"${{OTHER:-{TOKEN}}}",
                    f"${{ {TOKEN} }}",
                    f"$'{TOKEN}'",
                    f"${{{{ secrets.{TOKEN} }}}}",
                )
            ),
            (" (line 2, column 1)", f"'|' needs a shell{_SHELL}", f"{_FIRST}| {TOKEN} \\\nx"),
            (" (line 1, column 1)", _SHOWN, f"{TOKEN}*"),
            (" (line 1, column 14)", _SHOWN, f"touch marker --password={TOKEN}"),
            (" (line 2, column 6)", _SHOWN, f"{_FIRST}echo '{TOKEN}'x"),
            (
                " (line 1, column 7)",
                (
                    "no file in the working directory matches '?.none'; "
                    "check path and working-directory, or quote it to pass it on as it is"
                ),
                "touch ?.none marker",
            ),
            *(
                (" (line 2, column 1)", f"'{word}' needs a shell; {remedy}", f"{_FIRST}{word} {TOKEN}")
                for word, remedy in (
                    ("cd", "set working-directory, or set shell: bash"),
                    ("export", "set the variable in env, or set shell: bash"),
                    ("set", "set shell: bash"),
                    ("if", "set shell: bash"),
                    ("[", "set shell: bash"),
                    ("!", "set shell: bash"),
                    ("source", "set shell: bash"),
                    (".", "set shell: bash"),
                )
            ),
            (
                " (line 2, column 1)",
                "a variable set before a command needs a shell; set the variable in env, or set shell: bash",
                f"{_FIRST}A={TOKEN} touch marker",
            ),
            (" (line 2, column 6)", f"'{{' with ',' or '..' needs a shell{_SHELL}", f"{_FIRST}echo {{a,{TOKEN}}}"),
            (
                " (line 2, column 8)",
                "a comment after a command needs a shell; write it on a line of its own, or quote the '#'",
                f"{_FIRST}echo x # {TOKEN}",
            ),
            (" (line 1, column 1)", "the name of the program is empty; write the program to run", f"'' {TOKEN}"),
            (
                " (line 1, column 7)",
                _SHOWN,
                f"touch ?{TOKEN} marker",
            ),
        )
    },
    "variable nearly declared": (
        "command (line 1, column 14): ${NAMES} is not declared in the input env; did you mean ${NAME}?",
        {"command": "touch marker ${NAMES}", "env": f"NAME={TOKEN[::-1]}"},
        {},
    ),
    **{
        f"{name} {text!r}": (f"{name}: must be true or false", {name: text}, {})
        for name in ("keep-logins", "summary", "use-entrypoint", "fail-fast", "dry-run")
        for text in (TOKEN, "True", "yes", "1", "null", "'true'")
    },
    **{
        f"on-missing {text!r}": ("on-missing: must be 'fail' or 'skip'", {"on-missing": text}, {})
        for text in (TOKEN, "Skip", "true", "fail skip")
    },
    **{
        f"shell {text!r}": (
            "shell: must be one program, without options; write its name alone, such as bash",
            {"shell": text},
            {},
        )
        for text in ("bash -x", f"bash {TOKEN}", "sh\t-c", "bash {0}")
    },
    **{
        f"image {reference!r}": (f"image: {problem}{_A_REFERENCE}", {"image": reference}, {})
        for problem, references in {
            _UPPER: (TOKEN, "ghcr.io/Org/tool", f"{TOKEN}/tool"),
            "is the ID of an image, not its name": ("0123456789abcdef" * 4,),
            "must be without a scheme, such as ghcr.io/org/tool:1.2": (f"https://ghcr.io/{TOKEN.lower()}",),
            _NO_REFERENCE: (
                "alpine:",
                "alpine:.1",
                f"alpine:1 {TOKEN}",
                f"alpine@{TOKEN}",
                "alpine@sha256:abc",
                f"alpine:{'1' * 129}",
                "alpine:\u0661",
                "org//tool",
                "/alpine",
                "alpine/",
                "-alpine",
                "${{ vars.IMAGE }}",
            ),
            _PORT: ("ghcr.io:0/tool", f"localhost:99999/{TOKEN.lower()}"),
            _IS_NO_HOST: (
                *(f"a..example/{TOKEN.lower()}", "a.example:123456/tool", "a-.example/tool"),
                f"alice:{TOKEN}@ghcr.io/org/tool",
            ),
            _IPV6: (f"[1:2]:80/{TOKEN.lower()}",),
        }.items()
        for reference in references
    },
    **{
        f"{name} with {' and '.join(inputs)}": (f"{name}: {problem}", {name: value, **inputs}, {})
        for name, value, problem, inputs in (
            ("use-entrypoint", "true", "needs image; set image, or leave it out", {}),
            ("exclude", TOKEN, "needs image; set image, or leave it out", {}),
            ("keep-logins", "true", "cannot be combined with image; leave one of them out", {"image": "alpine"}),
            (
                "use-entrypoint",
                "true",
                "cannot be combined with shell; give one of them",
                {"image": "alpine", "shell": "sh"},
            ),
        )
    },
    **{
        f"{name} {text!r}": (f"{name}: must be a whole number from {bounds}", {name: text}, {})
        for name, bounds in (("max-parallel", "1 to 64"), ("retries", "0 to 10"))
        for text in (TOKEN, "-1", "65", "1.5", "1e1", "99999", "\u0661")
    },
    "max-parallel '0'": ("max-parallel: must be a whole number from 1 to 64", {"max-parallel": "0"}, {}),
    **{
        f"targets {text!r}": (
            f"targets (line {line}): {problem}",
            {"targets": text, "command": "touch marker {target}"},
            {},
        )
        for line, problem, text in (
            (3, "is a duplicate; remove it", f"{TOKEN}\n\n{TOKEN}"),
            *(
                (
                    1,
                    "is not a reference or the beginning of one; write one per line, such as ghcr.io/org/charts",
                    target,
                )
                for target in (
                    f"-{TOKEN}",
                    f"$({TOKEN})",
                    f"a {TOKEN}",
                    f"a;{TOKEN}",
                    f"'{TOKEN}'",
                    f"a|{TOKEN}",
                    f"*{TOKEN}",
                    f"~/{TOKEN}",
                    f"alice:{TOKEN}%40@a.example",
                    "ä.example",
                    "{target}",
                    "${HOME}",
                )
            ),
        )
    },
    "targets without a place": (
        "targets: the command does not contain {target}; write {target} where the target goes",
        {"targets": TOKEN},
        {},
    ),
    "a place without targets": (
        "command: contains {target}, but there are no targets; add targets",
        {"command": f"touch marker {{target}} {TOKEN}"},
        {},
    ),
    "two lists": (
        "registries-file: cannot be combined with registries; give one of them",
        {"registries-file": TOKEN},
        {},
    ),
    **{
        f"registries-file {path!r}": (
            message,
            {"registries": "", "registries-file": path},
            {"GITHUB_EVENT_NAME": event},
        )
        for message, path, event in (
            ("registries-file: cannot be read (no such file or directory); check the path", TOKEN, "push"),
            ("registries-file: cannot be read (is a directory); check the path", "folder", "push"),
            ("registries-file: is or passes a link; give the real path", "linked", "push"),
            ("registries-file: is or passes a link; give the real path", "dangling", "push"),
            ("registries-file: cannot be read (not a directory); check the path", f"empty/{TOKEN}", "push"),
            (f"registries: is empty{_OR_NONE}", "empty", "push"),
            (f"registries-file: is UTF-16{_SAVE}", "utf16", "push"),
            (f"registries-file: is not UTF-8 (byte 0){_SAVE}", "binary", "push"),
            (
                "registries[0].password-file (line 3): is not allowed in a registries-file; use password-env",
                "with-file",
                "push",
            ),
            *(
                (
                    f"registries-file: {_WORKSPACE.format(event)}",
                    path,
                    event,
                )
                for event, path in (
                    ("pull_request_target", "valid"),
                    ("workflow_run", "./valid"),
                    ("issue_comment", "folder/../valid"),
                )
            ),
        )
    },
    **{
        f"env {line!r}": (f"env (line 2): {problem}", {"env": f"FINE=1\n{line}"}, {"NEARBY": "x"})
        for problem, lines in {
            _NO_NAME: (
                f"={TOKEN}",
                f"1A={TOKEN}",
                f"A-B={TOKEN}",
                f"A B={TOKEN}",
                f"Ä={TOKEN}",
                f"{TOKEN}+/=",
                f"A: {TOKEN}",
            ),
            _NOT_SET: (TOKEN, "NOT_THERE"),
            "no such variable in the environment; did you mean 'NEARBY'?": ("NEARBI",),
            **{
                f"{name} is set by registry-config itself; leave it out": (f"{name}={TOKEN}",)
                for name in (
                    "DOCKER_CONFIG",
                    "REGISTRY_AUTH_FILE",
                    "HELM_REGISTRY_CONFIG",
                    "BUILDX_CONFIG",
                    "DOCKER_AUTH_CONFIG",
                )
            },
            _OURS: tuple(f"{name}={TOKEN}" for name in (*RUNNER_FILES, f"{PREFIX}COMMAND")),
        }.items()
        for line in lines
    },
    "env that holds the password": (
        "env: the value of A contains a secret; use secret-env",
        {"env": f"A=x{TOKEN}x"},
        {},
    ),
    "env that holds the password, from the step": (
        "env: the value of HIDDEN contains a secret; use secret-env",
        {"env": "HIDDEN"},
        {"HIDDEN": TOKEN},
    ),
    "env that holds the pair in base64": (
        "env: the value of A contains a secret; use secret-env",
        {"env": "A=Basic YWxpY2U6dE9rRW5HaHAwMTIzNDU2Nzg5YUJjRGVGZ0hpSmtMbU5vUHE="},
        {},
    ),
    **{
        f"secret-env {line!r}": (f"secret-env (line 1): {problem}", {"secret-env": line}, {"NEARBY": TOKEN})
        for problem, lines in {
            "takes a name alone; write NAME, and set its value in the environment": (
                f"A={TOKEN}",
                f"={TOKEN}",
                "NEARBY=",
            ),
            _NO_NAME: (f"{TOKEN}+/", "A-B", f"A: {TOKEN}", "NEARBY,OTHER"),
            _NOT_SET: (TOKEN, "NOT_THERE"),
            "no such variable in the environment; did you mean 'NEARBY'?": ("NEARBI",),
            "DOCKER_CONFIG is set by registry-config itself; leave it out": ("DOCKER_CONFIG",),
            _OURS: ("GITHUB_ENV", f"{PREFIX}REGISTRIES"),
        }.items()
        for line in lines
    },
    "secret-env that is no UTF-8": (
        "secret-env: the value of LATIN is not valid UTF-8; give it as base64",
        {"secret-env": "LATIN"},
        {},
    ),
    "registries that are no UTF-8": (
        f"registries: is not UTF-8{_SAVE}",
        {"registries": f"{VALID}# \udce4"},
        {},
    ),
    "job's token for another server": (
        "registries[0] (line 1): the job's token is not for ghcr.io on this GitHub server; give username and password",
        {"registries": "- registry: ghcr.io", "github-token": TOKEN},
        {"GITHUB_SERVER_URL": "https://ghe.example", "GITHUB_ACTOR": "octocat"},
    ),
    "job's token without an actor": (
        "registries[0] (line 1): GITHUB_ACTOR is not set; give username and password",
        {"registries": "- registry: ghcr.io", "github-token": TOKEN},
        {},
    ),
    "job's token that is empty": (
        f"registries[0] (line 1): the job's token for ghcr.io is empty{_GIVE_IT}",
        {"registries": f"- registry: ghcr.io # {TOKEN}", "github-token": ""},
        {"GITHUB_ACTOR": "octocat"},
    ),
    **{
        f"working-directory {path!r}": (
            "working-directory: is not a folder that exists; make it first, or correct the path",
            {"working-directory": path},
            {},
        )
        for path in (TOKEN, "empty", "pipe", "dangling", f"folder/{TOKEN}")
    },
}

_RUN = ("run", "--registries", "valid")
END = ("--", "touch", "marker")
_NO_OPTION = f"{_STRAY}; the command to run comes after --"
# Name: message, words of the command line.
OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nothing": ("command line: must begin with run, check, agent or action; see --help", ()),
    "token as the first word": ("command line: must begin with run, check, agent or action; see --help", (TOKEN,)),
    "action with a word": (
        "command line: action takes no words; it reads its inputs from the environment",
        ("action", TOKEN),
    ),
    "action with two dashes": (
        "command line: action takes no words; it reads its inputs from the environment",
        ("action", "--", TOKEN),
    ),
    "registries left out": ("--registries: is missing; see --help", ("run", *END, TOKEN)),
    "registries without a value": ("--registries: needs a value; see --help", ("run", "--registries", *END)),
    "token as an option": (_NO_OPTION, (*_RUN, f"--{TOKEN}", *END)),
    "token as a short option": (_NO_OPTION, (*_RUN, f"-{TOKEN}", *END)),
    "token as a word": (_NO_OPTION, (*_RUN, TOKEN, *END)),
    "option of another program": (_NO_OPTION, (*_RUN, "--password", TOKEN, *END)),
    "option with its value of another program": (_NO_OPTION, (*_RUN, f"--password={TOKEN}", *END)),
    "beginning of an option": (f"{_STRAY}; did you mean --github-token-env?", (*_RUN, "--github", TOKEN, *END)),
    "command before the dashes": (_NO_OPTION, (*_RUN, "touch", "marker", TOKEN)),
    "option nearly right": (f"{_STRAY}; did you mean --registries?", (*_RUN, f"--registrie={TOKEN}", *END)),
    "other option nearly right": (f"{_STRAY}; did you mean --secret-env?", (*_RUN, f"--secret_env={TOKEN}", *END)),
    "flag with a value": ("--keep-logins: takes no value; see --help", (*_RUN, f"--keep-logins={TOKEN}", *END)),
    **{
        f"{option} without a value": (f"{shown}: needs a value; see --help", (*_RUN, option, "--", TOKEN))
        for option, shown in {
            "--github-token-env": "--github-token-env",
            "--shell": "--shell",
            "--image": "--image",
            "--target": "--target",
            "--max-parallel": "--max-parallel",
            "--retries": "--retries",
            "--exclude": "--exclude",
            "-C": "-C/--working-directory",
            "--env": "-e/--env",
            "--secret-env": "--secret-env",
            "--on-missing": "--on-missing",
            "--json": "--json",
        }.items()
    },
    "registries that are not there": (
        "--registries: cannot be read (no such file or directory); check the path",
        ("run", "--registries", TOKEN, *END),
    ),
    "registries written in the option": (
        "--registries: cannot be read (no such file or directory); check the path",
        ("run", "--registries", VALID, *END),
    ),
    "empty path": (
        "--registries: cannot be read (no such file or directory); check the path",
        ("run", "--registries=", *END, TOKEN),
    ),
    "folder of registries": (
        "--registries: cannot be read (is a directory); check the path",
        ("run", "--registries", "folder", *END),
    ),
    "path with a file as a folder": (
        "--registries: cannot be read (not a directory); check the path",
        ("run", "--registries", f"empty/{TOKEN}", *END),
    ),
    "no dashes": ("command: is missing; write it after --", _RUN),
    "nothing after the dashes": ("command: is missing; write it after --", (*_RUN, "--")),
    "script in two words": (
        "command: must be one script with --shell; quote the whole script after --",
        (*_RUN, "--shell", "sh", *END, TOKEN),
    ),
    "shell with options": (
        "--shell: must be one program, without options; write its name alone, such as bash",
        (*_RUN, "--shell", f"sh -x {TOKEN}", "--", "touch marker"),
    ),
    "retries": ("--retries: must be a whole number from 0 to 10", (*_RUN, "--retries", TOKEN, *END)),
    "max-parallel": ("--max-parallel: must be a whole number from 1 to 64", (*_RUN, "--max-parallel=0", *END)),
    "target without a place": (
        "--target: the command does not contain {target}; write {target} where the target goes",
        (*_RUN, "--target", TOKEN, *END),
    ),
    "place without a target": (
        "command: contains {target}, but there are no targets; add --target",
        (*_RUN, *END, f"{TOKEN}{{target}}"),
    ),
    "target that is none": (
        "--target (number 2): is not a reference or the beginning of one; write one such as ghcr.io/org/charts",
        (*_RUN, "--target", "x", "--target", f"$({TOKEN})", *END, "{target}"),
    ),
    "image": (
        f"--image: {_UPPER}{_A_REFERENCE}",
        (*_RUN, "--image", TOKEN, *END),
    ),
    "entrypoint of no image": (
        "--use-entrypoint: needs --image; set --image, or leave it out",
        (*_RUN, "--use-entrypoint", *END),
    ),
    "exclude without an image": (
        "--exclude: needs --image; set --image, or leave it out",
        (*_RUN, "--exclude", TOKEN, *END),
    ),
    "on-missing": ("--on-missing: must be 'fail' or 'skip'", (*_RUN, "--on-missing", TOKEN, *END)),
    "env without a name": (f"--env (number 1): {_NO_NAME}", (*_RUN, "-e", f"={TOKEN}", *END)),
    "env that is not set": (f"--env (number 2): {at_command_line(_NOT_SET)}", (*_RUN, "-e", "A=1", "-e", TOKEN, *END)),
    "env that holds the password": (
        "--env: the value of A contains a secret; use --secret-env",
        (*_RUN, f"-eA={TOKEN}", *END),
    ),
    "env that is empty": (f"--env (number 1): {_NO_NAME}", (*_RUN, "-e", "", *END, TOKEN)),
    "env that is blank": (f"--env (number 2): {_NO_NAME}", (*_RUN, "-e", "A=1", "-e", " ", *END, TOKEN)),
    "secret-env that is empty": (f"--secret-env (number 1): {_NO_NAME}", (*_RUN, "--secret-env", "", *END, TOKEN)),
    "a program that is empty": ("command: is missing; write it after --", (*_RUN, "--", "", TOKEN)),
    "the password in a word": (
        f"command: {_SHOWN.replace('secret-env', '--secret-env')}",
        (*_RUN, *END, f"--password={TOKEN}"),
    ),
    "secret-env with a value": (
        "--secret-env (number 1): takes a name alone; write NAME, and set its value in the environment",
        (*_RUN, "--secret-env", f"A={TOKEN}", *END),
    ),
    "variable of the token": (
        "--github-token-env: no such variable in the environment; set and export it first",
        (*_RUN, "--github-token-env", TOKEN, *END),
    ),
    "working directory that is not there": (
        "--working-directory: is not a folder that exists; make it first, or correct the path",
        (*_RUN, "-C", TOKEN, *END),
    ),
    "working directory that is empty": (
        "--working-directory: is not a folder that exists; make it first, or correct the path",
        (*_RUN, "-C", "", *END),
    ),
    "ghcr.io without a token": (
        "registries[0] (line 1): 'username' and a password are missing; give them, or --github-token-env NAME",
        ("run", "--registries", "ghcr", *END, TOKEN),
    ),
    "check of a malformed list": (f"registries (line 1): {_NO_LIST}", ("check", "--registries", "good")),
    "check with a stray word": (_NO_OPTION, ("check", "--registries", "valid", TOKEN)),
}

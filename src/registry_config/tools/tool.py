"""What a row of the table of tools may say."""

from __future__ import annotations

from registry_config.light_typing import NamedTuple


class DigestForm(NamedTuple):
    """One way in which a tool tells the digest of what it pushed or pulled.

    Attributes:
        where: `stdout` or `stderr` (lines), `json` (all of the standard output is one document) or `file` (an option of
            the command names it).
        what: for lines, a regular expression whose one group is the digest; for a document, the keys that lead to it,
            divided by blanks (`*`: each of them, or each element); for a file, its options, divided by blanks.
        command: the beginning of the command's own words, such as `manifest push`; empty: any. Several are divided by
            `|`. A form with a command counts for that command alone, never for a script.
    """

    where: str
    what: str
    command: str = ""


class PlainHttp(NamedTuple):
    """The options that let a tool speak plain HTTP.

    Attributes:
        option: for a command that asks one registry; `{host}` stands for it.
        source: where a command reads from one registry and writes to another, the option for the first.
        destination: likewise for the second.
        copies: the commands that have these two, divided by blanks.
    """

    option: str
    source: str = ""
    destination: str = ""
    copies: str = ""


class Grammar(NamedTuple):
    """Which words of a tool's command are references, and what it does with them.

    Attributes:
        forms: the commands; the first that fits counts. See `tools.references` for how they are written.
        switches: options without a value, divided by blanks. Every other option takes the next word, or has `=`.
        scheme: what has to stand before a reference, such as `oci://`; empty: nothing has to.
        local: beginnings of words that name something on this machine.
        default_tag: what the tool takes where a reference has neither tag nor digest.
    """

    forms: tuple[str, ...]
    switches: str
    scheme: str = ""
    local: tuple[str, ...] = ()
    default_tag: str = "latest"


class ToolHint(NamedTuple):
    """What a line of this tool alone means, as a regular expression, and what to do about it.

    Attributes:
        pattern: for the line.
        remedy: for a workflow.
        at_command_line: the remedy at a command line.
    """

    pattern: str
    remedy: str
    at_command_line: str


class Tool(NamedTuple):
    """What is known about one tool.

    Attributes:
        reads: the variables or files where it looks for credentials, the first that it prefers first.
        on_host: why it does not work without `image`; empty if it does.
        in_image: why it does not work with `image`; empty if it does.
        remark: what else a user should know.
        other_names: of the same program.
        digests: how it tells what it pushed or pulled.
        plain_http: its option for plain HTTP; None: it has none, or needs none.
        ca_variables: those that name the file of a private authority, for this tool.
        grammar: which words are references; None: nobody knows.
        hints: what its own messages mean.
        chooses_by_path: whether one config may hold several credentials for a host, each under its path.
    """

    reads: str
    on_host: str = ""
    in_image: str = ""
    remark: str = ""
    other_names: tuple[str, ...] = ()
    digests: tuple[DigestForm, ...] = ()
    plain_http: PlainHttp | None = None
    ca_variables: tuple[str, ...] = ("SSL_CERT_FILE",)
    grammar: Grammar | None = None
    hints: tuple[ToolHint, ...] = ()
    chooses_by_path: bool = False

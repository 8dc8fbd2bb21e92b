"""Which references a command reads and which it writes, as far as the table of tools tells.

A form of a `Grammar` is written like a tool's own help, its parts divided by blanks:

    copy|cp             a word of the command itself, by any of its names
    READ WRITE UPDATE   a reference that is read, written, or both; with a slash behind it the repository as a whole,
                        with a plus it needs no scheme
    ATTACH              one that is read, and given something that has no tag of its own, such as a signature
    CHART INTO          a packed chart, and where it goes: its name and version are appended. Without a chart, name and
                        tag of the first reference that is read are
    TAG                 a further tag of the first reference, or a whole reference
    -                   a word that is none of these
    UNKNOWN             nobody knows
    …*                  any number of them
    -t|--tag=WRITE      an option whose value is one; with a `!` behind it the option has to be there
    --push!             a switch that has to be there
    --src==docker       an option that has to have this value
    $NAME               a variable that holds a repository, which is written under the tags of the command
    VERSION             the tag of what is read, where it has none
"""

from __future__ import annotations

from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple
from registry_config.reference import Reference, parse_reference
from registry_config.tools.table import known_tool
from registry_config.tools.words import Words, split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from registry_config.tools.tool import Grammar

    # Path, and the most bytes that are wanted of it.
    ReadFile = Callable[[str, int], bytes]

_SCHEMES: Final = ("oci://", "docker://")


class References(NamedTuple):
    """What a command does with registries.

    Attributes:
        reads: what it reads there.
        writes: what it writes; without tag and digest where it writes something that has no tag of its own.
    """

    reads: tuple[Reference, ...]
    writes: tuple[Reference, ...]

    @property
    def written_tags(self) -> tuple[Reference, ...]:
        """Those that are written under a tag."""
        return tuple(reference for reference in self.writes if reference.tag)


def no_file(path: str, limit: int) -> bytes:
    """For callers that cannot read the command's files.

    Raises:
        OSError: always.
    """
    raise FileNotFoundError(path, limit)


def references_of(
    arguments: Sequence[str], variables: Mapping[str, str] | None = None, read_file: ReadFile = no_file
) -> References | None:
    """The references that a command reads and writes; None where nobody knows, as of a script.

    Args:
        arguments: the command, its program first.
        variables: of its environment.
        read_file: gives the beginning of a file of the command's working directory, or raises OSError.
    """
    roles = _roles(arguments, variables or {})
    tool = known_tool(arguments[0])
    if roles is None or tool is None or tool.grammar is None:
        return None
    return _references(roles, tool.grammar, read_file)


def is_writing(arguments: Sequence[str]) -> bool:
    """Whether a command is known to write to a registry, whatever it writes."""
    roles = _roles(arguments, {}) or []
    return any(role.rstrip("/+") in {"WRITE", "UPDATE", "ATTACH", "INTO", "TAG", "$"} for role, _ in roles)


def _roles(arguments: Sequence[str], variables: Mapping[str, str]) -> list[tuple[str, str]] | None:
    """The words of a command that have a role, each with it; None where no form fits."""
    tool = known_tool(arguments[0])
    if tool is None or tool.grammar is None:
        return None
    words = split_words(arguments[1:], tool.grammar.switches)
    fitting = (_roles_in(form, words, variables) for form in tool.grammar.forms)
    return next((roles for roles in fitting if roles is not None), None)


def _roles_in(form: str, words: Words, variables: Mapping[str, str]) -> list[tuple[str, str]] | None:
    """The words that have a role in this form, each with it; None where the form does not fit."""
    tokens = form.split()
    roles: list[tuple[str, str]] = []
    for token in tokens:
        if token.startswith("$"):
            roles.append(("$", variables.get(token[1:], "")))
        elif token.startswith("-") and token.rstrip("*") != "-":
            found = _option(token, words)
            if found is None:
                return None
            roles += found
    position = [token for token in tokens if token.rstrip("*") == "-" or token[0] not in "-$"]
    named = _positions(position, words.plain)
    return None if named is None else named + roles


def _option(token: str, words: Words) -> list[tuple[str, str]] | None:
    if "==" in token:
        names, _, value = token.partition("==")
        return [] if value in words.values(_names(names)) else None
    names, _, role = token.rstrip("!").partition("=")
    if token.endswith("!") and not words.has(_names(names)):
        return None
    return [(role, value) for value in words.values(_names(names))] if role else []


def _names(text: str) -> list[str]:
    return [name.lstrip("-") for name in text.split("|")]


def _positions(tokens: list[str], plain: tuple[str, ...]) -> list[tuple[str, str]] | None:
    """Each word with its role; at most one token stands for any number of words."""
    many = [token for token in tokens if token.endswith("*")]
    spare = len(plain) - (len(tokens) - len(many))
    if spare < 0 or (spare and not many):
        return None
    stretched: list[str] = []
    for token in tokens:
        stretched += [token[:-1]] * spare if token.endswith("*") else [token]
    pairs = list(zip(stretched, plain, strict=True))
    if any(role.islower() and word not in role.split("|") for role, word in pairs):
        return None
    return [(role, word) for role, word in pairs if not role.islower()]


def _references(roles: list[tuple[str, str]], grammar: Grammar, read_file: ReadFile) -> References | None:
    reader = _Reader(grammar)
    try:
        for role, word in roles:
            reader.take(role, word, read_file)
        return reader.references()
    except (OSError, ValueError):
        return None


class _Reader:
    """Makes references of words, one after the other."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._reads: list[Reference] = []
        self._writes: list[Reference] = []
        self._tags: list[str] = []
        self._repository: Reference | None = None
        self._name = ""
        self._name_tag = ""
        self._needs_scheme = True

    def take(self, role: str, word: str, read_file: ReadFile) -> None:
        """Take a word.

        Raises:
            ValueError: it is no reference.
            OSError: the chart cannot be read.
        """
        self._needs_scheme = not role.endswith("+")
        kind, whole = role.rstrip("/+"), role.endswith("/")
        if kind == "UNKNOWN":
            raise ValueError("has a grammar of its own")
        if kind == "CHART":
            from registry_config.tools.charts import MAX_ARCHIVE, chart_tag  # noqa: PLC0415  (for helm push alone)

            self._name, self._name_tag = chart_tag(read_file(word, MAX_ARCHIVE))
        elif kind == "TAG":
            self._tags += word.split(",")
        elif kind == "VERSION":
            tag = word.replace("+", "_")
            self._reads = [one if one.tag or one.digest else one._replace(tag=tag) for one in self._reads]
        elif kind == "$":
            self._repository = parse_reference(word)
        elif kind == "INTO":
            self._into(word)
        elif kind != "-":
            self._reference(kind, word, whole=whole)

    def references(self) -> References:
        """All of them, once each."""
        base = self._repository or next(iter((*self._reads, *self._writes)), None)
        tags = self._tags or ([self._grammar.default_tag] if self._repository else [])
        for tag in tags:
            whole = {"/", ":"} & set(tag)
            if whole or base is not None:
                self._writes.append(
                    parse_reference(tag) if whole or base is None else base._replace(tag=tag, digest="")
                )
        return References(tuple(dict.fromkeys(self._reads)), tuple(dict.fromkeys(self._writes)))

    def _reference(self, kind: str, word: str, *, whole: bool) -> None:
        for found in self._parsed(word):
            reference = found._replace(tag="") if whole else found
            if kind in {"READ", "UPDATE", "ATTACH"}:
                self._reads.append(reference)
            if kind in {"WRITE", "UPDATE"}:
                self._writes.append(reference)
            if kind == "ATTACH":
                self._writes.append(reference._replace(tag="", digest=""))

    def _into(self, word: str) -> None:
        base = self._bare(word)
        if base is None:
            return
        name, tag = self._name, self._name_tag
        if not name:
            first = self._reads[0]
            name, tag = first.path.rpartition("/")[2], first.tag
        self._writes.append(parse_reference(f"{base.rstrip('/')}/{name}")._replace(tag=tag))

    def _parsed(self, word: str) -> list[Reference]:
        """The references of one word, of which `repository:a,b` has two; none where it names something local."""
        bare = self._bare(word)
        if bare is None:
            return []
        name, _, more = bare.partition(",")
        first = parse_reference(name)
        if not first.tag and not first.digest:
            first = first._replace(tag=self._grammar.default_tag)
        return [first, *(first._replace(tag=tag) for tag in more.split(",") if tag)]

    def _bare(self, word: str) -> str | None:
        """The word without its scheme; None where it names something on this machine."""
        if self._needs_scheme and not word.startswith(self._grammar.scheme):
            return None
        if word.startswith(self._grammar.local):
            return None
        scheme = next((one for one in _SCHEMES if word.startswith(one)), "")
        return word.removeprefix(scheme)

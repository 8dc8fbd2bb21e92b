"""The `command` text: words, quotes, the two expansions, and what is refused."""

from __future__ import annotations

from glob import glob
from typing import TYPE_CHECKING

import pytest

from registry_config.declaration.command import Word, expand, literal, parse_commands
from registry_config.errors import InputError
from support.tables import exactly, table

if TYPE_CHECKING:
    from pathlib import Path

_VARIABLES = {"NAME": "a b", "STAR": "*", "_x1": "", "QUOTE": "'\"$(id)`id`\n"}
_NO_PROGRAM = "the name of the program is empty; write the program to run"
_REMEDY = "; quote it, or set shell: bash"
_OR_VARIABLE = "; write ${NAME} and name it in env, quote it, or set shell: bash"


def _vectors(text: str) -> list[list[str]]:
    return [[word.text for word in command] for command in parse_commands(text, _VARIABLES)]


@table(
    "text, vectors",
    {
        "words": ("helm push  app.tgz\toci://a.b/c", [["helm", "push", "app.tgz", "oci://a.b/c"]]),
        "one command per line": ("a b\nc\n\n  d e  \n", [["a", "b"], ["c"], ["d", "e"]]),
        "CRLF": ("a b\r\nc\r\n", [["a", "b"], ["c"]]),
        "comment lines": ("# no\na b\n  # 'no\n", [["a", "b"]]),
        "no comment within a word or quotes": ("a#b c '#' \"# d\" \\# x#", [["a#b", "c", "#", "# d", "#", "x#"]]),
        "joined lines": ("a \\\n  b \\\n  c\nd", [["a", "b", "c"], ["d"]]),
        "a word joined over lines, as a shell does": ("a\\\nb 'c\\\nd'", [["ab", "cd"]]),
        "joined with nothing": ("\\\na\n\\\n", [["a"]]),
        "joined at the very end": ("a \\", [["a"]]),
        "a comment joins nothing": ("# a \\\nb", [["b"]]),
        "backslash at the end, escaped": ("a \\\\\nb", [["a", "\\"], ["b"]]),
        "single quotes": ("'a b' '' '\"' '\\' '$x' '*'", [["a b", "", '"', "\\", "$x", "*"]]),
        "double quotes": (
            '"a b" "" "\'" "\\"" "\\\\" "\\$x" "\\`" "\\n" "*"',
            [["a b", "", "'", '"', "\\", "$x", "`", "\\n", "*"]],
        ),
        "quotes inside a word": ("a'b c'd\"e f\"g", [["ab cde fg"]]),
        "escapes": ("a\\ b \\' \\\" \\$ \\| \\~ \\# \\*", [["a b", "'", '"', "$", "|", "~", "#", "*"]]),
        "characters that need no shell": (
            "x a=b {y} {} a{,b '{c,d}' {e,\"f\\}\" {{.G}} {..} !z %d ^e @f +g",
            [["x", "a=b", "{y}", "{}", "a{,b", "{c,d}", "{e,f\\}", "{{.G}}", "{..}", "!z", "%d", "^e", "@f", "+g"]],
        ),
        "words of a shell as arguments": ("x cd [ if . A=1", [["x", "cd", "[", "if", ".", "A=1"]]),
        "programs whose names only begin so": (
            "cdx\nsetfacl a\nif2\n./cd",
            [["cdx"], ["setfacl", "a"], ["if2"], ["./cd"]],
        ),
        "a word of a shell in quotes": ("'cd' x\n\"[\" y", [["cd", "x"], ["[", "y"]]),
        "an equals sign that sets nothing": ("a-b=c d\n1=2\n=x", [["a-b=c", "d"], ["1=2"], ["=x"]]),
        "tilde inside": ("a~ b/~", [["a~", "b/~"]]),
        "quoted shell characters": ("'|' \"&;<>()\" '`'", [["|", "&;<>()", "`"]]),
        "variable": ("${NAME}", [["a b"]]),
        "variable inside a word": ("x${NAME}y${_x1}z", [["xa byz"]]),
        "variable in double quotes": ('"${NAME} c"', [["a b c"]]),
        "no variable in single quotes": ("'${NAME}' '${UNDECLARED}'", [["${NAME}", "${UNDECLARED}"]]),
        "no variable after a backslash": ("\\${NAME}", [["${NAME}"]]),
        "empty variable is a word": ("a ${_x1}", [["a", ""]]),
        "what a variable holds is text": ("${QUOTE}", [["'\"$(id)`id`\n"]]),
        "wide characters": ("é\u3000密\u00a0🔑 b", [["é\u3000密\u00a0🔑", "b"]]),
    },
)
def test_text_is_split_as_a_shell_would(text: str, vectors: list[list[str]]) -> None:
    assert _vectors(text) == vectors


@table(
    "text, pattern",
    {
        "star": ("dist/*.tgz", "dist/*.tgz"),
        "question mark": ("a?", "a?"),
        "class": ("[!a-c]", "[!a-c]"),
        "quoted": ("'*'", None),
        "double quoted": ('"a?"', None),
        "escaped": ("\\*", None),
        "half quoted": ("'*'*", "[*]*"),
        "half escaped": ("\\[?", "[[]?"),
        "variable": ("${STAR}", None),
        "variable beside": ("${STAR}/*", "[*]/*"),
        "closing bracket": ("a]", None),
    },
)
def test_a_pattern_is_what_stands_outside_of_quotes(text: str, pattern: str | None) -> None:
    (((word,)),) = parse_commands(text, _VARIABLES)
    assert word.pattern == pattern


def test_a_word_knows_where_it_stands() -> None:
    assert parse_commands("# x\na 'b'\n*", {}) == (
        (Word("a", None, "command (line 2, column 1)"), Word("b", None, "command (line 2, column 3)")),
        (Word("*", "*", "command (line 3, column 1)"),),
    )


@table(
    "text, place, problem",
    {
        "pipe": ("a | b", "line 1, column 3", "'|' needs a shell" + _REMEDY),
        "and": ("a && b", "line 1, column 3", "'&' needs a shell" + _REMEDY),
        "semicolon inside a word": ("a\nbc;d", "line 2, column 3", "';' needs a shell" + _REMEDY),
        "input": ("a <b", "line 1, column 3", "'<' needs a shell" + _REMEDY),
        "output": ("a 2>b", "line 1, column 4", "'>' needs a shell" + _REMEDY),
        "open parenthesis": ("(a)", "line 1, column 1", "'(' needs a shell" + _REMEDY),
        "closed parenthesis": ("a)", "line 1, column 2", "')' needs a shell" + _REMEDY),
        "backtick": ("`a`", "line 1, column 1", "'`' needs a shell" + _REMEDY),
        "backtick in double quotes": ('a "`b`"', "line 1, column 4", "'`' needs a shell" + _REMEDY),
        "dollar": ("a $B", "line 1, column 3", "'$' needs a shell, except in ${NAME}" + _OR_VARIABLE),
        "dollar in double quotes": ('"$B"', "line 1, column 2", "'$' needs a shell, except in ${NAME}" + _OR_VARIABLE),
        "dollar at the end": ("a$", "line 1, column 2", "'$' needs a shell, except in ${NAME}" + _OR_VARIABLE),
        "default value": ("${NAME:-x}", "line 1, column 1", "'$' needs a shell, except in ${NAME}" + _OR_VARIABLE),
        "number": ("${1}", "line 1, column 1", "'$' needs a shell, except in ${NAME}" + _OR_VARIABLE),
        "tilde": ("a ~/b", "line 1, column 3", "a leading '~' needs a shell" + _REMEDY),
        "single quote": (
            "a 'b",
            "line 1, column 3",
            "this quote is not closed on its line; close it, or set shell: bash",
        ),
        "double quote": (
            'a\n\nb"c',
            "line 3, column 2",
            "this quote is not closed on its line; close it, or set shell: bash",
        ),
        "quote over two lines": (
            "a 'b\nc'",
            "line 1, column 3",
            "this quote is not closed on its line; close it, or set shell: bash",
        ),
        "undeclared": (
            "${OTHER}",
            "line 1, column 1",
            "${OTHER} is not declared in the input env; name it in the input env (under with:)",
        ),
        "a name that may be a secret": (
            "${ghp4Jx9}",
            "line 1, column 1",
            "this variable is not declared in the input env; name it in the input env (under with:)",
        ),
        "nearly declared": (
            "${NAMES}",
            "line 1, column 1",
            "${NAMES} is not declared in the input env; did you mean ${NAME}?",
        ),
        "an option in a line of its own": (
            "helm version\n  --short",
            "line 2, column 3",
            "the program begins with a dash; end the line above with a backslash, or write the program to run",
        ),
        "NUL": ("a\0", "line 1, column 2", "a NUL character cannot be passed on; remove it"),
        "comment after a command": (
            "a b\nc # d",
            "line 2, column 3",
            "a comment after a command needs a shell; write it on a line of its own, or quote the '#'",
        ),
        "comment in a joined line": (
            "a \\\n#b",
            "line 1, column 3",
            "a comment after a command needs a shell; write it on a line of its own, or quote the '#'",
        ),
        "braces": ("a x{b,c}", "line 1, column 4", "'{' with ',' or '..' needs a shell" + _REMEDY),
        "braces with a quoted part": ("a {'b',c}", "line 1, column 3", "'{' with ',' or '..' needs a shell" + _REMEDY),
        "braces that count": ("a v{1..3}", "line 1, column 4", "'{' with ',' or '..' needs a shell" + _REMEDY),
        "braces in braces": ("a {b,{c,d}}", "line 1, column 6", "'{' with ',' or '..' needs a shell" + _REMEDY),
        **{
            f"the shell's {word}": (f"a\n{word} x", "line 2, column 1", f"'{word}' needs a shell; set shell: bash")
            for word in ("if", "for", "while", "{", "!", "[", "[[", ":", ".", "source", "set", "eval", "exec", "exit")
        },
        **{
            f"the shell's {word}": (
                f"a\n{word} x",
                "line 2, column 1",
                f"'{word}' needs a shell; set working-directory, or set shell: bash",
            )
            for word in ("cd", "pushd")
        },
        **{
            f"the shell's {word}": (
                f"a\n{word} x",
                "line 2, column 1",
                f"'{word}' needs a shell; set the variable in env, or set shell: bash",
            )
            for word in ("export", "unset", "declare")
        },
        **{
            f"assignment {text}": (
                text,
                "line 1, column 1",
                "a variable set before a command needs a shell; set the variable in env, or set shell: bash",
            )
            for text in ("A=1 b", "A=1", "a_1= b", "A='1 2' b", "A+=1", "A[0]=1")
        },
        **{
            f"white space after the backslash {text!r}": (
                text,
                f"line 1, column {column}",
                (
                    "white space follows the backslash at the end of the line; "
                    "remove it, so that the next line belongs to the command"
                ),
            )
            for column, text in ((3, "a \\ \n  b"), (2, "a\\\t \r\nb"), (5, "a b \\ "))
        },
        "program without a name": ("'' a", "line 1, column 1", _NO_PROGRAM),
        "program of an empty variable": ("${_x1} a", "line 1, column 1", _NO_PROGRAM),
    },
)
def test_what_needs_a_shell_is_refused_with_its_place(text: str, place: str, problem: str) -> None:
    with pytest.raises(InputError, match=exactly(f"command ({place}): {problem}")):
        parse_commands(text, _VARIABLES)


def test_a_secret_variable_in_a_word_is_told_apart_from_one_that_nobody_declared() -> None:
    message = (
        "command (line 1, column 3): ${TOKEN} is in secret-env, and the list of processes would show it here; "
        "let the tool read the variable"
    )
    with pytest.raises(InputError, match=exactly(message)):
        parse_commands("a ${TOKEN}", _VARIABLES, ("TOKEN",))


@pytest.mark.parametrize("text", ["", " \t", "\n\n", "# only a comment", "\\", "\\\n\\\n"])
def test_a_text_without_a_command_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=exactly("command: is empty; write the command to run")):
        parse_commands(text, {})


def test_words_after_two_dashes_are_taken_as_they_are() -> None:
    assert literal(["a b", "*", "$X", ""]) == (Word("a b"), Word("*"), Word("$X"), Word(""))
    assert expand(literal(("*", "$X")), lambda _: ["never"]) == ("*", "$X")


def _expand(text: str, folder: Path) -> tuple[str, ...]:
    (folder / "sub").mkdir()
    for name in ("b.tgz", "a.tgz", "A.tgz", ".hidden", "sub/x.txt", "sub/[x].txt"):
        (folder / name).touch()
    (command,) = parse_commands(text, {"STAR": "*"})
    return expand(command, lambda pattern: glob(pattern, root_dir=folder))


@table(
    "text, vector",
    {
        "sorted": ("push *.tgz oci://x", ("push", "A.tgz", "a.tgz", "b.tgz", "oci://x")),
        "class": ("[ab].tgz", ("a.tgz", "b.tgz")),
        "folders": ("*/*", ("sub/[x].txt", "sub/x.txt")),
        "hidden names": ("* .h*", ("A.tgz", "a.tgz", "b.tgz", "sub", ".hidden")),
        "quoted brackets": ("sub/'[x]'*", ("sub/[x].txt",)),
        "no pattern": ("'*' ${STAR} \\*", ("*", "*", "*")),
    },
)
def test_a_pattern_becomes_the_sorted_names(text: str, vector: tuple[str, ...], tmp_path: Path) -> None:
    assert _expand(text, tmp_path) == vector


def test_a_file_named_as_an_option_is_passed_as_a_file(tmp_path: Path) -> None:
    for name in ("--ca-file=evil", "-x", "a-x"):
        (tmp_path / name).touch()
    assert _expand("push *-* *x -y", tmp_path) == ("push", "./--ca-file=evil", "./-x", "a-x", "./-x", "a-x", "-y")


@table(
    "folder, where",
    {"the working directory": (".", "the working directory"), "another": ("charts/app", "'charts/app'")},
)
def test_a_pattern_without_a_match_is_refused(folder: str, where: str) -> None:
    (command,) = parse_commands("push dist/*.zip", {})
    message = (
        f"command (line 1, column 6): no file in {where} matches 'dist/*.zip'; "
        "check path and working-directory, or quote it to pass it on as it is"
    )
    with pytest.raises(InputError, match=exactly(message)):
        expand(command, lambda _: [], folder)


def test_after_an_entrypoint_a_command_begins_with_an_argument() -> None:
    commands = parse_commands("export source\nA=1 x\n[ y\n'' z", {}, has_entrypoint=True)
    assert [[word.text for word in command] for command in commands] == [
        ["export", "source"],
        ["A=1", "x"],
        ["[", "y"],
        ["", "z"],
    ]

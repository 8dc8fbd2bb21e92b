"""The job summary: what it says, and that no text in it is taken for markup."""

from __future__ import annotations

from registry_config.github.summary import summarize
from registry_config.report import Report, TargetReport
from support.tables import table

_A = f"sha256:{'a' * 64}"
_B = f"sha256:{'b' * 64}"
_SHOWN_A = f"<code>sha256&#58;{'a' * 64}</code>"
_HOSTILE = "a|b\n<script> @octocat #1 &amp; *b* _c_ ~d~ [e](f) `g` \\ ![h] $i$ www.j.k WWW.l"
_HARMLESS = (
    "a&#124;b &#60;script&#62; &#64;octocat &#35;1 &#38;amp; &#42;b&#42; &#95;c&#95; &#126;d&#126; "
    "&#91;e&#93;&#40;f&#41; &#96;g&#96; &#92; &#33;&#91;h&#93; &#36;i&#36; www&#46;j.k WWW&#46;l"
)


@table(
    "report, markdown",
    {
        "refused": (
            Report(error="registries[0] (line 1): unknown key"),
            "### Registry config: nothing was run\n\nregistries&#91;0&#93; &#40;line 1&#41;&#58; unknown key\n",
        ),
        "skipped": (Report(skipped=True, error="empty"), "### Registry config: nothing was run\n\nempty\n"),
        "done": (
            Report((TargetReport(exit_code=0, digests=(_A,), commands=("a b",)),), seconds=1.25),
            (
                f"### Registry config: the command succeeded in 1.2 s\n\nDigest: {_SHOWN_A}\n\n"
                "<details><summary>Commands</summary><code>a b</code></details>\n"
            ),
        ),
        "failed": (
            Report(
                (TargetReport(state="failed", exit_code=1, reason=_HOSTILE, hints=("x|y", "z")),),
                image=_HOSTILE,
                warnings=("w",),
            ),
            (
                f"### Registry config: the command failed in 0.0 s\n\n**Failed:** {_HARMLESS}<br>x&#124;y<br>z\n\n"
                f"Note: w\n\nImage: <code>{_HARMLESS}</code>\n"
            ),
        ),
        "targets": (
            Report(
                (
                    TargetReport("x", "", "done", 0, (_A,), 1, 1.0, commands=("push x",)),
                    TargetReport("y|", "", "failed", 7, (), 3, 2.25, reason="bad", commands=("push y",)),
                    TargetReport("z", "", "not-started", reason="not started"),
                ),
                seconds=3,
            ),
            (
                "### Registry config: 1 of 3 targets succeeded, 1 failed, 1 not started in 3.0 s\n\n"
                "**Failed:** bad<br><code>y&#124;</code>\n\n**Failed:** not started<br><code>z</code>\n\n"
                "| result | target | digest | attempts | seconds |\n| --- | --- | --- | ---: | ---: |\n"
                "| <b>failed (7)</b> | <code>y&#124;</code> | - | 3 | 2.2 |\n"
                "| not started | <code>z</code> | - | 0 | 0.0 |\n"
                f"| done | <code>x</code> | {_SHOWN_A[: len('<code>sha256&#58;') + 12]}</code> | 1 | 1.0 |\n\n"
                f"Digest: {_SHOWN_A}\n\n"
                "<details><summary>Commands</summary><b>failed:</b> <code>push y</code><br>"
                "<code>push x</code></details>\n"
            ),
        ),
        "several commands, the second of which failed": (
            Report(
                (TargetReport(state="failed", exit_code=2, reason="command 2 of 3 failed", commands=("a", "b")),),
                seconds=1,
            ),
            (
                "### Registry config: the command failed in 1.0 s\n\n**Failed:** command 2 of 3 failed\n\n"
                "<details><summary>Commands</summary><code>a</code><br><b>failed:</b> <code>b</code></details>\n"
            ),
        ),
        "pairs of file and target": (
            Report(
                (
                    *(TargetReport(f"x{n}", "f", "failed", 1, reason="r", hints=("h",)) for n in range(7)),
                    TargetReport("y", "f", "done", 0, (_A,), 1, 1.0),
                    TargetReport("y", "g", "exists", 0, (_B,), 1, 1.0),
                    TargetReport("z", "f", "skipped"),
                ),
                seconds=3,
            ),
            (
                "### Registry config: 1 of 10 pairs succeeded, 1 already there, 7 failed, 1 skipped in 3.0 s\n\n"
                f"**Failed:** r<br>h<br>{', '.join(f'<code>x{n} f</code>' for n in range(5))}, and 2 more\n\n"
                "| result | target | file | digest | attempts | seconds |\n"
                "| --- | --- | --- | --- | ---: | ---: |\n"
                + "".join(
                    f"| <b>failed (1)</b> | <code>x{n}</code> | <code>f</code> | - | 0 | 0.0 |\n" for n in range(7)
                )
                + f"| done | <code>y</code> | <code>f</code> | {_SHOWN_A[: len('<code>sha256&#58;') + 12]}</code> "
                "| 1 | 1.0 |\n"
                f"| already there | <code>y</code> | <code>g</code> | <code>sha256&#58;{'b' * 12}</code> | 1 | 1.0 |\n"
                "| skipped | <code>z</code> | <code>f</code> | - | 0 | 0.0 |\n\n"
                f"<details><summary>Digests</summary>{_SHOWN_A} <code>f</code><br>"
                f"<code>sha256&#58;{'b' * 64}</code> <code>g</code></details>\n"
            ),
        ),
        "many reasons": (
            Report(tuple(TargetReport("", f"f{n}", "failed", 1, reason=f"r{n}") for n in range(22))),
            (
                "### Registry config: 0 of 22 files succeeded, 22 failed in 0.0 s\n\n"
                + "".join(f"**Failed:** r{n}<br><code>f{n}</code>\n\n" for n in range(20))
                + "Another 2 failed for other reasons, which are in the log.\n\n"
                "| result | file | digest | attempts | seconds |\n| --- | --- | --- | ---: | ---: |\n"
                + "".join(f"| <b>failed (1)</b> | <code>f{n}</code> | - | 0 | 0.0 |\n" for n in range(22))
            ),
        ),
        "dry run": (
            Report(planned=("a", "b")),
            (
                "### Registry config: dry run, nothing was executed\n\n"
                "<details><summary>Commands</summary><code>a</code><br><code>b</code></details>\n"
            ),
        ),
        "many commands, a long one among them": (
            Report(planned=("x" * 301, *(str(n) for n in range(20)))),
            (
                "### Registry config: dry run, nothing was executed\n\n"
                f"<details><summary>Commands</summary><code>{'x' * 300}…</code><br>"
                + "<br>".join(f"<code>{n}</code>" for n in range(19))
                + "<br>and 1 more</details>\n"
            ),
        ),
    },
)
def test_the_summary_shows_every_text_as_it_is(report: Report, markdown: str) -> None:
    assert summarize(report) == markdown

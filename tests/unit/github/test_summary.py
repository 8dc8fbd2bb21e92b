"""The job summary: what it says, and that no text in it is taken for markup."""

from __future__ import annotations

from registry_config.github.summary import summarize
from registry_config.report import Report, TargetReport
from support.tables import table

_A = f"sha256:{'a' * 64}"
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
                f"### Registry config: the command done in 1.2 s\n\nDigest: {_SHOWN_A}\n\n"
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
                "### Registry config: 1 of 3 targets done in 3.0 s\n\n"
                "**Failed:** <code>y&#124;</code>: bad\n\n**Failed:** <code>z</code>: not started\n\n"
                "| target | result | digest | attempts | seconds |\n| --- | --- | --- | ---: | ---: |\n"
                "| <code>y&#124;</code> | failed | - | 3 | 2.2 |\n| <code>z</code> | not started | - | 0 | 0.0 |\n"
                f"| <code>x</code> | done | {_SHOWN_A[: len('<code>sha256&#58;') + 12]}</code> | 1 | 1.0 |\n\n"
                f"Digest: {_SHOWN_A}\n\n"
                "<details><summary>Commands</summary><code>push x</code><br><code>push y</code></details>\n"
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

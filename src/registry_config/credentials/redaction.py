"""Replaces every form of every secret, and each longer part of one, in a text or a stream of bytes by `***`.

Each line of a part gets a mask of its own; white space around it stays.
"""

from __future__ import annotations

from registry_config.credentials.beginnings import NO_WORDS
from registry_config.credentials.patterns import Patterns
from registry_config.credentials.seeds import RUN, SEED
from registry_config.credentials.views import View, ends_line, lines, views, without_sequences
from registry_config.light_typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK: Final = b"***"
# White space and escape sequences beyond this end a run; what is kept of a stream stays small.
_MOST_KEPT: Final = 16 * 1024


class _Findings(NamedTuple):
    """What is known of some bytes.

    Attributes:
        hidden: start and end of each part to be hidden, in order, none of them touching an end of line.
        ranges: the same for parts of several lines, with all that is between their ends, but for whole words.
        unfinished: from where on more bytes are needed to tell, as it may be the beginning of a form.
        held: from where on nothing can be shown; before `unfinished` where only white space follows a hidden part.
        context: from where on it must be known what came before further bytes.
    """

    hidden: list[tuple[int, int]]
    ranges: list[tuple[int, int]]
    unfinished: int
    held: int
    context: int


class Redactor:
    """Knows what must not be seen. Safe to share between threads."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        self._forms = frozenset(forms)
        self._built: tuple[frozenset[bytes], Patterns] | None = None

    def learn(self, forms: Iterable[bytes]) -> None:
        """Hide these from now on too, also in streams that have begun; by one thread at a time."""
        self._forms |= frozenset(forms)

    @property
    def _patterns(self) -> Patterns:
        """Built where something is looked for: a run may learn many secrets before that."""
        built = self._built
        if built is None or built[0] is not self._forms:
            built = self._built = (self._forms, Patterns(self._forms))
        return built[1]

    def data(self, data: bytes, *, cut: bool = False) -> bytes:
        """`data` with every form replaced; `cut` as in `RedactingStream.finish`."""
        stream = self.stream()
        return stream.feed(data) + stream.finish(cut=cut)

    def holds(self, data: bytes) -> bool:
        """Whether any form stands in `data`."""
        return bool(self.find(data).hidden)

    def text(self, text: str) -> str:
        """`text` with every form replaced, to be shown: bytes that are not UTF-8 become U+FFFD."""
        return self.data(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")

    def stream(self) -> RedactingStream:
        """A new stream; one is needed for each flow of bytes."""
        return RedactingStream(self)

    def find(self, data: bytes) -> _Findings:
        """Where forms stand in `data`, and what more bytes could change."""
        found = _Findings([], [], len(data), len(data), len(data))
        for view in views(data):
            found = self._look(view, data, found)
        held = found.held
        for start, end in sorted(found.ranges):
            if start < held < end:
                held = end  # in its next line a part could not be told any more from what does not belong to it
        return found._replace(hidden=sorted(found.hidden), held=held)

    def _look(self, view: View, data: bytes, found: _Findings) -> _Findings:
        """What one view adds."""
        length = len(view.text)
        if not length:
            return found._replace(context=0)
        patterns = self._patterns
        known = patterns.beginnings.words(data) if view.is_whole else NO_WORDS
        hits = patterns.find(view.text, known)
        ranges = view.ranges(hits.runs)
        if ranges and hits.runs[-1][1] == length and not ends_line(data[ranges[-1][1] :]):
            found = found._replace(held=min(found.held, ranges[-1][1]))
        ranges += [range_ for short in hits.shorts for range_ in _exact(view, data, short)]
        spans = [span for start, end in ranges for span in lines(data, start, end)]
        after = max([0, *known.stops[-1:], *(end for _, end in hits.runs[-1:])])
        incomplete = min(hits.incomplete, patterns.unfinished.start(view.text, data, after))
        unfinished = min(found.unfinished, view.offset(incomplete)) if incomplete < length else found.unfinished
        context = view.offset(max(length - RUN + 1, 0))
        return _Findings(
            found.hidden + spans + known.spans,
            found.ranges + ranges,
            unfinished,
            min(found.held, unfinished),
            min(found.context, context),
        )


class RedactingStream:
    """Redacts one flow of bytes that arrives in pieces; holds back only what may be the beginning of a form.

    Of a run that begins in the middle of a form, the first three characters may be shown where a piece ends in them,
    five where white space follows, fifteen where secrets are very long or very many.

    Attributes:
        found: whether a form has been seen so far.
    """

    def __init__(self, redactor: Redactor) -> None:
        self.found = False
        self._redactor = redactor
        self._kept = b""
        # How many of the kept bytes were given out already, as they are or hidden, and whether the last one was hidden.
        self._given = 0
        self._masked = False

    def feed(self, data: bytes) -> bytes:
        """Take `data`, and give what can be shown by now."""
        self._kept += data
        found = self._redactor.find(self._kept)
        size = len(self._kept)
        until = found.held if size - found.held < _MOST_KEPT else size
        keep = min(until, found.context)
        return self._release(found.hidden, until, keep if size - keep < _MOST_KEPT else until)

    def finish(self, *, cut: bool = True) -> bytes:
        """Give the rest. With `cut` a secret that the end cut short is hidden as well, from six characters on."""
        found = self._redactor.find(self._kept)
        size = len(self._kept)
        if cut and len(View(self._kept[found.unfinished :]).text) >= SEED:
            found.hidden.extend(lines(self._kept, max(found.unfinished, self._given), size))
        return self._release(sorted(found.hidden), size, size)

    def _release(self, hidden: list[tuple[int, int]], until: int, keep: int) -> bytes:
        """Everything before `until`, what is hidden replaced; overlapping parts share one mask."""
        data, done, masked = self._kept, self._given, self._masked
        self.found = self.found or bool(hidden)
        out = bytearray()
        for start, end in hidden:
            if end <= done:
                continue
            if start >= until:
                break
            if start >= done:
                out += data[done:start]
            if start >= done or not masked:
                out += MASK
            done, masked = end, True
        if done < until:
            out += data[done:until]
            done, masked = until, False
        self._kept = data[keep:]
        self._given, self._masked = done - keep, masked
        return bytes(out)


def _exact(view: View, data: bytes, short: tuple[int, int, bytes]) -> list[tuple[int, int]]:
    """Where a short form stands in the data, if it is really that."""
    first, last, form = short
    start, end = view.offset(first), view.offset(last - 1) + 1
    # A view has no white space, so what a form has of it at its ends is not between the two.
    is_it = form.strip() in {data[start:end], without_sequences(data[start:end])}
    return [(start, end)] if is_it else []

"""Entries that may be missing (`optional: true`), and what is left out with them."""

from __future__ import annotations

from registry_config.light_typing import TYPE_CHECKING, TypeAlias
from registry_config.reference import mentions_in

if TYPE_CHECKING:
    from registry_config.declaration.command import Command
    from registry_config.declaration.registries import Declaration
    from registry_config.plan import Plan

    Skipped: TypeAlias = tuple[tuple[int, Plan], ...]


def leave_out(plans: tuple[Plan, ...], left_out: tuple[Declaration, ...]) -> tuple[tuple[Plan, ...], Skipped]:
    """Take out the commands that name a registry whose entry is left out.

    Returns:
        The plans that run, and those of which nothing is left, each with its place among all of them.
    """
    if not left_out:
        return plans, ()
    run: list[Plan] = []
    skipped: list[tuple[int, Plan]] = []
    for position, plan in enumerate(plans):
        names_it = bool(plan.target) and _names(plan.target, left_out)
        commands = () if names_it else tuple(c for c in plan.commands if not _command_names(c, left_out))
        if commands or not plan.commands:
            run.append(plan._replace(commands=commands))
        else:
            skipped.append((position, plan))
    return tuple(run), tuple(skipped)


def notices(left_out: tuple[Declaration, ...], *, has_commands: bool) -> tuple[str, ...]:
    """A line for each entry that is left out; commands may be left out with it, where there are any."""
    return tuple(
        f"{one.place()}: the optional entry for {one.registry} has no secret"
        + (f"; what is for {one.registry} does not run" if has_commands else ", so it is left out")
        for one in left_out
    )


def nothing_left(left_out: tuple[Declaration, ...]) -> str:
    """Why nothing runs at all."""
    return f"nothing was run: {', '.join(one.registry for one in left_out)} is optional and has no secret"


def _command_names(command: Command, left_out: tuple[Declaration, ...]) -> bool:
    return any(_names(word.text, left_out) for word in command)


def _names(text: str, left_out: tuple[Declaration, ...]) -> bool:
    # A target may be no more than a host.
    whole = text if "/" in text else f"{text}/x"
    for mention in mentions_in(whole):
        for one in left_out:
            path = mention.reference.path
            is_below = not one.path or path == one.path or path.startswith(f"{one.path}/")
            if mention.reference.host == one.host and mention.has_host and is_below:
                return True
    return False

"""The profile of a run on a terminal, in a pipe, or in a file."""

from __future__ import annotations

from collections.abc import Callable

from femtodriver.options.profile_requests import ProfileRequest
from femtodriver.output.terminal import print_table, terminal_width
from femtodriver.output.told_places import TABLE_ENDINGS, write_format
from femtodriver.profile.profile_files import profile_csv, profile_json
from femtodriver.profile.profile_rows import Profile
from femtodriver.profile.profile_text import notes, profile_table, profile_text, title
from femtodriver.profile.profile_view import ProfileView, view_of

_FORMATS: dict[str, Callable[[ProfileView], str]] = dict(zip(TABLE_ENDINGS, (profile_csv, profile_json), strict=True))


def tell_profile(profile: Profile, request: ProfileRequest, say: Callable[[str], None]) -> None:
    """Show and write what the request asks for. ProgramError where the file cannot be written."""
    view = view_of(profile, request.by, request.sort, request.top, request.depth)
    if request.profile:
        show_profile(view, say)
    if request.profile_file is not None:
        say(write_format(request.profile_file, _FORMATS, view, f"profile by {view.by}"))


def show_profile(view: ProfileView, say: Callable[[str], None]) -> None:
    """Show it: as a table that fits the terminal where there is one that is wide enough, else as plain text."""
    width = terminal_width()
    table = profile_table(view, width)
    if width is None or table.width > width:
        say(profile_text(view))
        return
    print_table(title(view), table.head, table.rows, table.left, last_is_sum=True)
    print("\n".join(notes(view, table)))

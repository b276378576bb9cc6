"""The options of the profile: what each layer costs, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.options.option import option
from femtodriver.options.option_groups import INSIGHT
from femtodriver.options.value_kinds import GROUPING, PATH, SORT, SWITCH, whole
from femtodriver.options.without_effect import PROFILE
from femtodriver.profile.profile_choices import GROUPINGS, SORTS

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileRequest:
    """What is shown of what each layer costs."""

    profile: bool = option(
        False,
        kind=SWITCH,
        group=INSIGHT,
        acts=("fasmir",),
        help="print what each layer costs; runs fasmir if no runner is named (docs/profile.md)",
    )
    profile_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=INSIGHT,
        acts=("fasmir",),
        help="write the profile, with all its figures, to a .csv or .json file",
    )
    by: str = option(
        GROUPINGS[0],
        kind=GROUPING,
        metavar="layer|operator|module|core",
        group=INSIGHT,
        acts=PROFILE,
        help="what the rows of the profile are (default layer)",
    )
    sort: str = option(
        SORTS[0],
        kind=SORT,
        metavar="KEY",
        group=INSIGHT,
        acts=PROFILE,
        help=f"how its rows are sorted: {', '.join(SORTS[:-1])} or {SORTS[-1]} (default order, as they run)",
    )
    top: int | None = option(
        None,
        kind=whole(1),
        metavar="N",
        group=INSIGHT,
        acts=PROFILE,
        help="show the first N rows of the profile, and the others as one",
    )

    depth: int | None = option(
        None,
        kind=whole(1),
        metavar="N",
        group=INSIGHT,
        acts=PROFILE,
        help="with --by module: add up modules whose paths have the same first N parts (default: whole paths)",
    )

    @property
    def asks_for_profile(self) -> bool:
        """Whether a profile is shown or written."""
        return self.profile or self.profile_file is not None

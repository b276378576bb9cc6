"""What a page has in it, by the parser of the standard library: whether its tags match, and what they refer to."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}
REFERENCES = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "background", "formaction"}


@dataclass
class Outline(HTMLParser):
    """``tags``: how often each is there. ``attributes``: (tag, name, value) of each. ``texts``: outside of styles."""

    tags: dict[str, int] = field(default_factory=dict)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See ``HTMLParser``."""
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.opened.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See ``HTMLParser``."""
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """See ``HTMLParser``."""
        assert self.opened, f"</{tag}> without a start"
        assert self.opened.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        """See ``HTMLParser``."""
        if self.opened and self.opened[-1] != "style" and data.strip():
            self.texts.append(" ".join(data.split()))

    def values(self, name: str) -> list[str]:
        """The values of all attributes of that name."""
        return [value for _, found, value in self.attributes if found == name]


def outline(page: bytes) -> Outline:
    """The outline of a page whose tags match; AssertionError otherwise."""
    made = Outline()
    made.feed(page.decode("utf-8"))
    made.close()
    assert made.opened == []
    return made

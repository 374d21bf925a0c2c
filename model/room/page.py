"""The page of the policy room: choose, build, see it come, read, argue; and a game for a class."""

from pathlib import Path
from typing import Any

import solara

from model.room.argue import Argue
from model.room.build import Build
from model.room.choose import Choose
from model.room.game.page import Game
from model.room.open import opened
from model.room.read import Read
from model.room.visit import Visit, study_in
from model.room.watch import Watch
from model.web.fields import frame, words

HERE = Path(__file__).parent

GAME = 'With a class: <a href="/game" id="play">play the wrong-pocket game</a>, each agency at its own tab.'

PARTS = (
    ("choose", "The place"),
    ("build", "The plans"),
    ("watch", "See it come"),
    ("read", "The answer"),
    ("argue", "Argue and keep"),
)


@solara.component
def Plain(children: list[Any]) -> None:  # noqa: N802 - a component
    """Show pages without Solara's own bar, which has a title and tabs of its own."""
    # Who follows a link is there at once, and below what is said, which stays at the top.
    solara.Style("html:root { scroll-behavior: auto; scroll-padding-top: 6rem; }")
    solara.v.Html(tag="main", class_="plain", children=list(children))


@solara.component
def Room() -> None:  # noqa: N802 - a component
    """Show a visitor the room."""
    router = solara.use_router()
    asked = study_in(router.search)
    visit = solara.use_memo(lambda: Visit(opened[-1], asked, router.push), [])
    # The Back button changes the address, and so does the visit itself when its study gets a name.
    solara.use_effect(lambda: visit.follow(asked), [asked])
    solara.Style(HERE / "room.css")
    frame(f"{visit.draft.value.profile.name}: Upstream policy room")
    with solara.Div(classes=["room"]):
        words("h1", "Upstream: the policy room")
        words("p", "Test what a place could spend on prevention, and what that may do to crisis, money and lives.")
        links = "".join(f'<li><a href="#{part}">{label}</a></li>' for part, label in PARTS)
        solara.HTML(tag="nav", attributes={"aria-label": "Parts of the page"}, unsafe_innerHTML=f"<ul>{links}</ul>")
        solara.HTML(tag="p", unsafe_innerHTML=GAME)
        words("p", visit.said.value, class_="problem" if visit.said.value else "quiet", id="said", role="alert")
        Choose(visit)
        Build(visit)
        Watch(visit)
        Read(visit)
        Argue(visit)


routes = [solara.Route("/", component=Room, layout=Plain), solara.Route("game", component=Game)]

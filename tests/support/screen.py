"""What a program in Textual's test harness shows, and has it drawn now."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.app import App
from textual.strip import Strip


def strips_of(app: App[Any]) -> list[Strip]:
    """The lines of the screen as they are drawn, with their styles."""
    # What is seen behind a dialog is drawn with it.
    visible_screen_stack.set(app._background_screens)  # noqa: SLF001 - as the screen does it
    return app.screen._compositor.render_strips()  # noqa: SLF001 - nothing else tells it


def lines_of(app: App[Any]) -> list[str]:
    """The lines of the screen as a person sees them, each as wide as the screen."""
    return [strip.text for strip in strips_of(app)]


def text_of(app: App[Any]) -> str:
    """The screen as a person sees it."""
    return "\n".join(line.rstrip() for line in lines_of(app))


_render = Compositor.render_update


@contextmanager
def drawn_on_demand() -> Iterator[None]:
    """While this lasts, `draw` alone draws frames: nobody sees the others, and they are a quarter of all the work."""

    def later(compositor: Compositor, full: bool = False, **how: Any) -> Any:
        return _render(compositor, full, **how) if full else None

    with mock.patch.object(Compositor, "render_update", later):
        yield


def draw(app: App[Any]) -> None:
    """Draw what is to be drawn with the next frame."""
    screen = app.screen
    screen._on_timer_update()  # noqa: SLF001 - the frame would come later
    _render(screen._compositor, screen_stack=app._background_screens)  # noqa: SLF001 - as the screen does it

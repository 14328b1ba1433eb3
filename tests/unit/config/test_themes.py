"""Themes: the files that come with the program, the user's own, and whether text can be read in them."""

from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import Theme as TextualTheme
from textual.widgets import Button, Input, OptionList, Static

from cloudstore_tui.config.themes import Theme, builtin_folder, load_themes
from cloudstore_tui.ui.themes import textual_theme

BUILT_IN = (
    "ansi", "cloudstore-dark", "cloudstore-light", "gruvbox", "high-contrast", "monochrome", "nord", "solarized-light",
)  # fmt: skip

XTERM = {
    "black": "#000000", "red": "#cd0000", "green": "#00cd00", "yellow": "#cdcd00", "blue": "#0000ee",
    "magenta": "#cd00cd", "cyan": "#00cdcd", "white": "#e5e5e5", "bright_black": "#7f7f7f", "bright_red": "#ff0000",
    "bright_green": "#00ff00", "bright_yellow": "#ffff00", "bright_blue": "#5c5cff", "bright_magenta": "#ff00ff",
    "bright_cyan": "#00ffff", "bright_white": "#ffffff",
}  # fmt: skip

BACKGROUNDS = ("background", "surface", "panel")
TEXTS = (
    "foreground", "text", "text-muted", "text-disabled", "text-primary", "text-secondary", "text-accent",
    "text-success", "text-warning", "text-error",
)  # fmt: skip
LINES = tuple((line, ground) for line in ("border", "border-blurred") for ground in ("background", "surface"))
PAIRS = (
    *((text, background) for text in TEXTS for background in BACKGROUNDS),
    ("block-cursor-foreground", "block-cursor-background"),
    ("block-cursor-blurred-foreground", "block-cursor-blurred-background"),
    ("input-selection-foreground", "input-selection-background"),
    ("input-cursor-foreground", "input-cursor-background"),
    ("screen-selection-foreground", "screen-selection-background"),
    ("footer-foreground", "footer-background"),
    ("footer-key-foreground", "footer-background"),
    ("footer-description-foreground", "footer-background"),
    ("button-foreground", "surface"),
)


def written(text: str, ground: Color) -> Color:
    """A colour as a terminal shows it, the 16 colours as xterm does on black."""
    name, _, percent = text.partition(" ")
    alpha = float(percent.rstrip("%")) / 100 if percent else 1.0
    if name in {"transparent", "ansi_default", "initial"}:
        return ground if name == "transparent" else ground.get_contrast_text(1.0)
    if name == "auto":
        return ground + ground.get_contrast_text(alpha)
    colour = Color.parse(XTERM[name.removeprefix("ansi_")] if name.startswith("ansi_") else name)
    return ground + colour.with_alpha(colour.a * alpha)


def contrast(variables: dict[str, str], text: str, background: str) -> float:
    paper = Color.parse(variables["background"]) if variables["background"].startswith("#") else Color(0, 0, 0)
    value = variables[background]
    ground = paper if value == "ansi_default" else written(value, paper)
    bright, dim = sorted((luminance(written(variables[text], ground)), luminance(ground)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: Color) -> float:
    """The relative luminance of WCAG 2."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def shown(theme: TextualTheme) -> dict[str, str]:
    """Every variable as style sheets see it."""
    return theme.to_color_system().generate() | theme.variables


def test_the_themes_of_the_program_load_without_complaint() -> None:
    themes = load_themes()
    assert tuple(sorted(themes.loaded)) == BUILT_IN
    assert themes.failed == ()
    assert {path.stem for path in builtin_folder().glob("*.toml")} == set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_text_stands_out_from_what_is_behind_it(name: str) -> None:
    variables = shown(textual_theme(load_themes().loaded[name]))
    found = {(text, ground): round(contrast(variables, text, ground), 2) for text, ground in PAIRS}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_edge_of_a_pane_is_seen(name: str) -> None:
    variables = shown(textual_theme(load_themes().loaded[name]))
    found = {pair: round(contrast(variables, *pair), 2) for pair in LINES}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 3} == {}


def test_high_contrast_is_higher_than_the_others() -> None:
    variables = shown(textual_theme(load_themes().loaded["high-contrast"]))
    assert min(contrast(variables, text, ground) for text in TEXTS for ground in BACKGROUNDS) >= 7


def test_the_measure_of_contrast_knows_a_bad_pair() -> None:
    assert contrast({"background": "#ffffff", "grey": "#999999"}, "grey", "background") < 4.5
    assert contrast({"background": "ansi_default", "blue": "ansi_blue"}, "blue", "background") < 4.5


@pytest.mark.parametrize("name", ["ansi", "monochrome"])
def test_a_theme_for_few_colours_names_no_other_colour(name: str) -> None:
    theme = load_themes().loaded[name]
    assert theme.ansi
    values = (*theme.colours.values(), *theme.variables.values())
    assert [value for value in values if value.startswith("#")] == []


def test_monochrome_uses_no_colour_anywhere() -> None:
    theme = load_themes().loaded["monochrome"]
    coloured = [value for value in (*theme.colours.values(), *theme.variables.values()) if value.startswith("ansi_")]
    assert set(coloured) == {"ansi_default"}


def test_a_theme_of_three_lines_is_enough(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\ndark = false\nprimary = "#005f87"\n')
    theme = textual_theme(load_themes(tmp_path).loaded["mine"])
    assert not theme.dark
    assert contrast(shown(theme), "text-primary", "background") >= 4.5
    assert contrast(shown(theme), "text-muted", "background") >= 4.5
    assert shown(theme)["text-muted"].startswith("#")


def test_a_theme_may_name_other_variables_even_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'primary = "#005f87"\n[variables]\nborder = "$footer-background"\nfooter-background = "$warning"\n'
        'text-error = "$text-success"\ntext-success = "$text-error"\nlink-color = "$nothing"\n'
    )
    variables = shown(textual_theme(load_themes(tmp_path).loaded["mine"]))
    assert variables["border"] == variables["warning"]
    assert variables["text-error"] == variables["link-color"] == variables["foreground"]


def test_a_theme_of_the_user_replaces_ours_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('name = "ansi"\nprimary = "#123456"\n')
    assert load_themes(tmp_path).loaded["ansi"].colours == {"primary": "#123456"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"\ndark = true\nprimary = "reddish"\n', "primary must be a colour"),
        ('name = "x"\ndark = true\nprimry = "#fff"\n', "unknown key primry"),
        ('name = "x"\n\ndark = "yes"\nprimary = "#fff"\n', "dark must be true or false"),
        ('primary = "#fff"\n\nname = "../x"\n', "name must be a name"),
        ('primary = "#fff"\n[variables]\nx = "url(/etc)"\n', "x must be a colour"),
        ('primary = "#fff"\n[variables]\n"a b" = "bold"\n', "cannot name a variable"),
        ('name = "x"\n\nprimary = \n', "is not valid TOML"),
    ],
)
def test_a_broken_theme_names_file_and_line_and_stops_no_other(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "broken.toml").write_text(text)
    themes = load_themes(tmp_path)
    (error,) = themes.failed
    assert message in error.message
    assert error.subject == f"{tmp_path / 'broken.toml'}:3"
    assert set(themes.loaded) == set(BUILT_IN)


def test_a_theme_without_primary_or_without_a_folder_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    assert "primary is missing" in load_themes(tmp_path).failed[0].message
    assert load_themes(tmp_path / "nowhere").failed == ()


class Host(App[None]):
    CSS = "Static { color: $text-error; background: $surface-active; border: round $ansi-background; }"

    def __init__(self, themes: tuple[Theme, ...]) -> None:
        super().__init__()
        for theme in themes:
            self.register_theme(textual_theme(theme))

    def compose(self) -> ComposeResult:
        yield Static("text")
        yield Button("button")
        yield Input("input")
        yield OptionList("option")


@pytest.mark.parametrize("name", BUILT_IN)
async def test_every_theme_fills_in_what_style_sheets_use(name: str) -> None:
    app = Host(tuple(load_themes().loaded.values()))
    async with app.run_test() as pilot:
        app.theme = name
        await pilot.pause()
        shown_colour = app.query_one(Static).styles.color
        assert shown_colour == Color.parse(shown(app.current_theme)["text-error"])

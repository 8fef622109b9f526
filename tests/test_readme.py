"""The commands and links of the user's pages lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from headrecon.pipeline import Pipeline

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(beginning: str) -> list[list[str]]:
    """Words of the README's shell lines that begin so, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith(beginning)]
    return [shlex.split(line, comments=True) for line in lines]


def test_make_knows_the_targets():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for words in commands("make ") for word in words[1:]}
    assert {"demo", "test"} <= named <= targets


def test_there_are_commands_to_check():
    assert len(commands("python -m headrecon")) >= 3


@pytest.mark.parametrize("words", commands("python -m headrecon.train"), ids=" ".join)
def test_every_run_composes_and_instantiates(words: list[str]):
    overrides = [word for word in words[3:] if word != "-m"]
    # Of a sweep the first value stands for all.
    overrides = [re.sub(r"^([^\[]*=[^,]*),.*", r"\1", word) for word in overrides]
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        config = compose("config", overrides)
    assert isinstance(instantiate(config.pipeline, _convert_="all"), Pipeline)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_files_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    files = [link for link in links if "://" not in link]
    assert [link for link in files if not (page.parent / link).exists()] == []

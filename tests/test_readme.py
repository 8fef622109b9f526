"""The commands and links of the user's pages lead somewhere."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from headrecon.benchmark import cases
from headrecon.flow.collection import CollectionFlow
from headrecon.photos.commons import Commons
from headrecon.pipeline import Pipeline
from headrecon.synthetic.folder import PhotographSubject

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


CONFIGS = {
    "train": "config",
    "photograph": "config",
    "ablate": "config",
    "benchmark": "benchmark",
    "collect": "collect",
    "speed": "speed",
    "normals": "normals",
    "evaluate": "evaluate",
}


def commands(beginning: str, pages: Sequence[Path] = PAGES) -> list[list[str]]:
    """Words of the pages' shell lines that begin so, without comments."""
    blocks = [
        block
        for page in pages
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    ]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(beginning)]


def test_make_knows_the_targets():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for words in commands("make ", PAGES[:1]) for word in words[1:]}
    assert {"demo", "test"} <= named <= targets


def test_there_are_commands_to_check_for_every_program():
    shown = [words[2].removeprefix("headrecon.") for words in commands("python -m headrecon")]
    assert set(shown) == set(CONFIGS)
    assert len(shown) >= 12


@pytest.mark.parametrize("words", commands("python -m headrecon"), ids=" ".join)
def test_every_run_composes_and_instantiates(words: list[str]):
    overrides = [word for word in words[3:] if word != "-m" and not word.startswith("+launch=")]
    # Of a sweep the first value stands for all.
    overrides = [re.sub(r"^([^\[]*=[^,\[]*),.*", r"\1", word) for word in overrides]
    overrides = [re.sub(r"^([^\[]*=\[[^\]]*\]),\[.*", r"\1", word) for word in overrides]
    name = CONFIGS[words[2].removeprefix("headrecon.")]
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        config = compose(name, overrides)
    if name == "config":
        assert isinstance(instantiate(config.pipeline, _convert_="all"), Pipeline)
    elif name == "normals":
        assert isinstance(instantiate(config.session, _convert_="all"), PhotographSubject)
    elif name == "evaluate":
        assert all(instantiate(method, _convert_="all") for method in config.methods.values())
    elif name == "speed":
        assert isinstance(instantiate(config.ours, _convert_="all"), CollectionFlow)
    elif name == "collect":
        assert isinstance(instantiate(config.commons, _convert_="all"), Commons)
    else:
        assert list(cases(config))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_files_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    files = [link for link in links if "://" not in link]
    assert [link for link in files if not (page.parent / link).exists()] == []

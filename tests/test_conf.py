from collections.abc import Iterator
from pathlib import Path

import hydra
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from headrecon import benchmark
from headrecon.pipeline import Pipeline
from headrecon.settings import Refusal, check
from headrecon.train import CONF

GROUPS = sorted(path.name for path in CONF.iterdir() if path.is_dir())
OTHERS = {"baseline", "examples", "gather", "launch", "network", "preset", "size", "subject"}
OTHERS |= {"synthetic"}
STAGES = sorted(set(GROUPS) - OTHERS)
CHOICES = [
    (group, path.stem)
    for group in GROUPS
    for path in sorted((CONF / group).glob("*.yaml"))
    if group not in ("baseline", "examples", "launch", "network", "size", "subject")
]
PARTS = [
    (path.parent.relative_to(CONF).as_posix(), path.stem)
    for path in sorted(CONF.glob("*/*/*.yaml"))
]
SIZES = sorted(path.stem for path in (CONF / "size").glob("*.yaml"))


@pytest.fixture(autouse=True)
def composing() -> Iterator[None]:
    with initialize_config_dir(str(CONF), version_base=None):
        yield


def settings(*overrides: str) -> DictConfig:
    me = ["+subject=folder", "subject.name=ME", "subject.photos=photos"]
    return compose("config", [*me, *overrides])


def placed(group: str) -> str:
    """How a group is chosen on the command line."""
    if group == "synthetic":
        return "+synthetic@session"
    place = group.replace("/", ".")
    return group if group in ("gather", "preset") else f"{group}@pipeline.{place}"


@pytest.mark.parametrize(("group", "choice"), [*CHOICES, *PARTS])
def test_every_file_composes_passes_the_check_and_builds(group: str, choice: str) -> None:
    config = settings(f"{placed(group)}={choice}")
    check(config)
    assert isinstance(hydra.utils.instantiate(config.pipeline, _convert_="all"), Pipeline)
    hydra.utils.instantiate(config.gather, _convert_="all")


@pytest.mark.parametrize("subject", sorted(p.stem for p in (CONF / "subject").glob("*.yaml")))
def test_every_subject_has_a_name_and_photos(subject: str) -> None:
    config = compose("config", [f"+subject={subject}"])
    assert {"name", "photos"} <= set(config.subject)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_of_the_benchmark_composes_and_so_do_its_runs(size: str) -> None:
    config = compose("benchmark", [f"size={size}"])
    every = list(benchmark.cases(config))
    assert len({case.name for case in every}) == len(every)
    assert {case.curve for case in every} == {"", *config.curves}
    # Of each curve the ends: what is between them composes as they do.
    ends = {"": {""}} | {
        name: {str(curve["values"][0]), str(curve["values"][-1])}
        for name, curve in config.curves.items()
    }
    chosen = {case.settings: case for case in every if case.value in ends[case.curve]}
    for case in chosen.values():
        check(settings(*case.settings, "+synthetic@subject.session=default"))


def test_every_row_of_the_benchmark_changes_the_method_or_is_another_one() -> None:
    for row, overrides in compose("benchmark").rows.items():
        if OmegaConf.is_list(overrides):
            changed = settings(*overrides)
            check(changed)
            assert (changed.pipeline == settings().pipeline) == (row == "full_method")
        else:
            check(overrides)
            hydra.utils.instantiate(overrides, _convert_="all")


def test_whatever_is_compared_with_builds() -> None:
    config = compose("evaluate")
    check(config)
    baselines = {path.stem for path in (CONF / "baseline").glob("*.yaml")}
    assert set(config.methods) == baselines
    assert baselines < set(compose("benchmark").rows)
    for method in config.methods.values():
        hydra.utils.instantiate(method, _convert_="all")


@pytest.mark.parametrize("launch", ["joblib", "slurm", "ray"])
@pytest.mark.parametrize("command", ["config", "benchmark"])
def test_every_launcher_composes(launch: str, command: str) -> None:
    pytest.importorskip(
        {"slurm": "hydra_plugins.hydra_submitit_launcher"}.get(
            launch, f"hydra_plugins.hydra_{launch}_launcher"
        )
    )
    config = compose(command, [f"+launch={launch}"], return_hydra_config=True)
    assert launch in config.hydra.launcher._target_.lower()


def test_every_stage_of_the_pipeline_has_a_folder_of_its_name() -> None:
    assert sorted(Pipeline.__dataclass_fields__) == STAGES


@pytest.mark.parametrize("network", ["points", "second_look", "parts"])
def test_the_settings_of_learning_compose_and_build(network: str) -> None:
    config = compose("learn", [f"network={network}"])
    check(config)
    hydra.utils.instantiate(config.network, _convert_="all")


def test_the_number_of_clusters_is_one_setting() -> None:
    pipeline = hydra.utils.instantiate(settings("cluster.count=5").pipeline, _convert_="all")
    assert pipeline.cluster.count == 5


def test_the_paper_preset_changes_what_it_names() -> None:
    chosen = settings("preset=paper").pipeline.factorize.subset._target_
    assert chosen.endswith("SmallResiduals")
    assert settings().pipeline.factorize.subset._target_ != chosen


def test_the_command_line_has_the_last_word_over_a_preset() -> None:
    assert settings("preset=fast", "pipeline.refine.steps=9").pipeline.refine.steps == 9


def test_the_made_up_subject_is_photographed_into_the_folder_of_the_run() -> None:
    config = compose("config", ["+subject=synthetic", "run_dir=out"])
    check(config)
    assert Path(config.subject.photos).parts[0] == "out"
    hydra.utils.instantiate(config.subject.session, _convert_="all")


def test_a_setting_that_is_left_out_is_named() -> None:
    config = settings()
    OmegaConf.set_struct(config, False)
    del config.pipeline.refine["steps"]
    with pytest.raises(Refusal, match=r"pipeline\.refine\.steps is missing"):
        check(config)


def test_settings_inside_settings_are_checked_too() -> None:
    with pytest.raises(Refusal, match=r"pipeline\.factorize\.subset\.cutoff is 2, but must be a f"):
        check(settings("pipeline.factorize.subset.cutoff=2"))

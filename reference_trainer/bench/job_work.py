"""Do one job: make data, noise or a start, or train, predict and measure."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actiseg_data.annotations.raw_scores import digest_raw_scores
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.files import remove_path, write_json
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe
from reference_trainer.batches.content_digest import digest_content
from reference_trainer.batches.training_split import open_training_split
from reference_trainer.bench.arm_data import make_split_root
from reference_trainer.bench.job_records import JobRecord, read_job_record, write_job_record
from reference_trainer.bench.jobs import DataJob, Job, NoiseJob, RunJob, StartJob, digest_job
from reference_trainer.bench.noise_recipes import make_cell_recipe, move_recipe
from reference_trainer.bench.plan import RootSource
from reference_trainer.config.config_building import make_config
from reference_trainer.config.config_file import CONFIG_FILE, read_config, write_config
from reference_trainer.config.run_config import Config
from reference_trainer.devices import describe_machine
from reference_trainer.inference.predictor import predict
from reference_trainer.training.checkpoint import CHECKPOINT_FILE, MODEL_FILE
from reference_trainer.training.engine import Divergence, fit, name_start, resume
from reference_trainer.training.logs import LOG_FILE
from reference_trainer.training.run_state import Run
from reference_trainer.training.warm_start import read_warm_start

if TYPE_CHECKING:
    from actiseg_eval.raw_scores.run_record import RunRecord

TRAINING, TEST, TUNING = "run", "test", "tune"
"""The folders of a run: of its training, and of its predictions."""

COPY = "copy"
"""The folder of noisy labels."""

_LABELS_FIGURE = "p_miou"


@dataclass(frozen=True)
class Workplace:
    """Where jobs work.

    Attributes
    ----------
    out : Path
        The folder of the benchmark. The path of a job is relative to it.
    roots : mapping of str to Path
        The datasets of the user.
    on_the_fly : bool
        Whether training labels get their noise while they are read, without a copy on disk.
    device : str
    """

    out: Path
    roots: Mapping[str, Path]
    on_the_fly: bool
    device: str

    def find(self, path: str) -> Path:
        """Return the folder of a job."""
        return self.out / path


@dataclass(frozen=True)
class Assignment:
    """A job, and the outputs of the jobs that it needs."""

    job: Job
    inputs: Mapping[str, str]


def perform(place: Workplace, assignment: Assignment) -> JobRecord:
    """Do a job and record its end in its folder.

    An interrupted job is continued where that is possible; else it is done from the beginning.

    Raises
    ------
    InputError
        If an input has changed, or if the job cannot be done. A run whose loss is not finite does
        not raise: its record says that it failed.
    """
    job, folder = assignment.job, place.find(assignment.job.path)
    folder.mkdir(parents=True, exist_ok=True)
    begin, problem = time.process_time(), ""
    output = ""
    result: dict[str, Any] = {}
    _refuse_changes(place, job, assignment.inputs)
    try:
        if isinstance(job, DataJob):
            output, result = _make_data(place, job, folder)
        elif isinstance(job, NoiseJob):
            output, result = _make_noise(place, job, folder)
        elif isinstance(job, StartJob):
            output, result = _make_start(place, job, folder)
        else:
            output, result = _perform_run(place, job, folder, assignment.inputs)
    except Divergence as error:
        if not isinstance(job, RunJob):
            raise  # without its start, no run of a seed can be done
        problem = error.problems[0].what
    if isinstance(job, (StartJob, RunJob)):
        result |= describe_machine(place.device)
    record = JobRecord(
        job=digest_job(job),
        inputs=assignment.inputs,
        output=output,
        # The training time counts the sessions before an interruption, too.
        seconds=max(time.process_time() - begin, result.get("training_seconds", 0.0)),
        problem=problem,
        result=result,
    )
    write_job_record(folder, record)
    _remove_parameters(job, folder)
    return record


def _remove_parameters(job: Job, folder: Path) -> None:
    """Remove what a finished job needs no more; a start keeps its net."""
    surplus = {StartJob: (CHECKPOINT_FILE,), RunJob: (CHECKPOINT_FILE, MODEL_FILE)}
    for name in surplus.get(type(job), ()):
        with suppress(OSError):
            (folder / TRAINING / name).unlink()


def _make_data(place: Workplace, job: DataJob, folder: Path) -> tuple[str, dict[str, Any]]:
    remove_path(folder / "root")
    make_split_root(job.source, job.fold, job.folds, place.roots, folder / "root")
    result = {}
    if isinstance(job.source, RootSource):
        root = place.roots[job.source.root]
        result = {"source": open_action_split(root, job.split).fingerprint}
    return digest_split(folder / "root", job.split), result


def digest_split(root: Path, split: str, noisy: Path | None = None) -> str:
    """Compute a digest of the labels and frames of a split."""
    return digest_content(open_training_split(root, split, noisy=noisy))


def _make_noise(place: Workplace, job: NoiseJob, folder: Path) -> tuple[str, dict[str, Any]]:
    import actiseg_noise

    root = place.find(job.data) / "root"
    recipe = make_cell_recipe(job.noise, place.find(job.model) / "root", job.model_split)
    recipe = move_recipe(recipe, job.split)
    write_json(folder / RECIPE_FILE, recipe.to_dict(), indent=1)
    copy = folder / COPY
    remove_path(copy)
    actiseg_noise.corrupt(root, recipe, out=copy, images="none", weights="none")
    result: dict[str, Any] = {}
    if job.scored:
        result = {
            "labels": _score_labels(copy, root, job.split),
            "recipe": recipe.digest,
            "clean": open_action_split(root, job.split).fingerprint,
        }
    output = digest_split(root, job.split, copy)
    if place.on_the_fly and job.scored:
        remove_path(copy)
    return output, result


def _score_labels(copy: Path, root: Path, split: str) -> float | None:
    """Score noisy labels with the clean ones."""
    import actiseg_eval

    report = actiseg_eval.score(copy, gt=root, split=split, metrics="core")
    return report.metrics[_LABELS_FIGURE]


def _make_start(place: Workplace, job: StartJob, folder: Path) -> tuple[str, dict[str, Any]]:
    values = {
        "dataset": str(place.find(job.data) / "root"),
        "split": job.split,
        "seed": job.seed,
        "device": place.device,
        **job.settings,
    }
    if job.init is not None:
        values["init"] = str(place.find(job.init) / TRAINING)
    run = _train(make_config(values, "`plan`"), folder / TRAINING)
    output = read_warm_start(run.folder).digest
    return output, {"flops": run.flops, "training_seconds": run.seconds}


def _train(config: Config, folder: Path) -> Run:
    """Train from the last checkpoint, if there is one of the same configuration."""
    if (folder / CHECKPOINT_FILE).is_file():
        named = name_start(config)
        if read_config(folder / CONFIG_FILE).fixed_settings == named.fixed_settings:
            write_config(folder / CONFIG_FILE, named)  # the benchmark may have been moved
            return resume(folder, quiet=True)
    remove_path(folder)
    return fit(config, folder, quiet=True)


def _refuse_changes(place: Workplace, job: Job, inputs: Mapping[str, str]) -> None:
    """Raise an error with every input of a job that is not as it was made."""
    problems = ProblemCollector()
    for path in _list_changed(place, job, inputs):
        hint = "restore it, or remove its folder and those of the jobs that used it"
        problems.add("has changed since it was made", place.find(path), hint)
    problems.raise_if_any()


def _list_changed(place: Workplace, job: Job, inputs: Mapping[str, str]) -> Iterator[str]:
    """Yield the paths of the inputs that are not as they were made."""
    starts = {StartJob: "init", RunJob: "start"}
    start = getattr(job, starts[type(job)]) if type(job) in starts else None
    if start is not None and read_warm_start(place.find(start) / TRAINING).digest != inputs[start]:
        yield start
    for (path, split), noise in _list_labels(job):
        if noise is not None and _is_on_the_fly(place, noise):
            record = read_job_record(place.find(noise))
            recipe = read_recipe(place.find(noise) / RECIPE_FILE)
            if record is None or record.result["recipe"] != recipe.digest:
                yield noise
            continue
        copy = None if noise is None else place.find(noise) / COPY
        if digest_split(place.find(path) / "root", split, copy) != inputs[noise or path]:
            yield noise or path


def _list_labels(job: Job) -> list[tuple[tuple[str, str], str | None]]:
    """List the splits that a job reads, and the noisy labels of these splits."""
    if isinstance(job, DataJob):
        return []
    if isinstance(job, StartJob):
        return [((job.data, job.split), None)]
    if isinstance(job, NoiseJob):
        splits = dict.fromkeys([(job.data, job.split), (job.model, job.model_split)])
        return [(split, None) for split in splits]
    labels: list[tuple[tuple[str, str], str | None]] = [(job.train, None), (job.test, None)]
    if job.noise is not None:
        labels.append((job.train, job.noise))
    if job.tune is not None:
        labels.append((job.tune, job.tune_noise))
    return labels


def _is_on_the_fly(place: Workplace, noise: str) -> bool:
    """Whether noise is added while labels are read, as where no copy was left on disk."""
    is_read_once = noise.endswith("/train")  # predictions need the noisy prompts of `tune` on disk
    return is_read_once and (place.on_the_fly or not (place.find(noise) / COPY).is_dir())


def _perform_run(
    place: Workplace, job: RunJob, folder: Path, inputs: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    result: dict[str, Any] = {}
    model = place.find(job.start) / TRAINING
    if job.settings is not None:
        model = folder / TRAINING
        run = _train_run(place, job, model, inputs[job.start])
        result = {"flops": run.flops, "training_seconds": run.seconds, "meter": read_meter(model)}
    _predict(place, job, model, folder)
    result["record"] = measure_run(place, job).to_dict()
    result["predictions"] = digest_predictions(place, job)
    result["tuning_score"] = measure_tuning(folder, job)
    return digest_json(result["record"]), result


def _train_run(place: Workplace, job: RunJob, folder: Path, start: str) -> Run:
    values = {
        "dataset": str(place.find(job.train[0]) / "root"),
        "split": job.train[1],
        "seed": job.seed,
        "device": place.device,
        "init": str(place.find(job.start) / TRAINING),
        "init_digest": start,
        **(job.settings or {}),
    }
    if job.noise is not None:
        noise = place.find(job.noise)
        on_the_fly = _is_on_the_fly(place, job.noise)
        name, path = ("noise", RECIPE_FILE) if on_the_fly else ("noisy", COPY)
        values[name] = str(noise / path)
    return _train(make_config(values, "`plan`"), folder)


def _predict(place: Workplace, job: RunJob, model: Path, folder: Path) -> None:
    """Predict the test split, and the tuning split under its noisy prompts."""
    for name in (TEST, TUNING):
        remove_path(folder / name)
    path, split = job.test
    predict(model, place.find(path) / "root", split, folder / TEST, device=place.device)
    if job.tune is not None:
        path, split = job.tune
        noisy = None if job.tune_noise is None else place.find(job.tune_noise) / COPY
        root = place.find(path) / "root"
        predict(model, root, split, folder / TUNING, noisy=noisy, device=place.device)


def measure_tuning(folder: Path, job: RunJob) -> float | None:
    """Measure a run with the noisy labels of the tuning split."""
    import actiseg_eval

    if job.tune is None or job.tuning_figure is None:
        return None
    return actiseg_eval.record_run(folder / TUNING).values[job.tuning_figure]


def measure_run(place: Workplace, job: RunJob) -> RunRecord:
    """Measure the predictions of a run."""
    import actiseg_eval

    folder = place.find(job.path)
    tuning = None if job.tune is None else folder / TUNING
    return actiseg_eval.record_run(folder / TEST, tuning=tuning)


def digest_predictions(place: Workplace, job: RunJob) -> str:
    """Compute the digest of a run's raw scores of the test split."""
    return digest_raw_scores(place.find(job.path) / TEST)


def read_meter(run: Path) -> dict[str, list[float]]:
    """Read what a net has memorised after each epoch, by figure."""
    figures: dict[str, list[float]] = {}
    with (run / LOG_FILE).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["term"].startswith(("noisy_pixels", "flipped_")):
                figures.setdefault(row["term"], []).append(float(row["value"]))
    return figures

"""Check that results are those of a plan."""

from __future__ import annotations

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from reference_trainer.bench.bench_report_making import tune_results
from reference_trainer.bench.jobs import JobList
from reference_trainer.bench.plan import Plan
from reference_trainer.bench.run_results import Results


def check_results(plan: Plan, results: Results, where: str) -> None:
    """Raise an `InputError` if results are of another plan, or of another state of this one.

    Parameters
    ----------
    plan : Plan
    results : Results
    where : str
        The file, for messages.
    """
    if results.plan != plan.name:
        what = f"has the results of the plan {results.plan!r}, not of {plan.name!r}"
        raise refuse(what, where, "give the results of this plan")
    jobs = JobList(plan, plan.arms)
    names = {run.name for run in results.runs}
    tuned = {name: choice.knob for name, choice in tune_results(plan, results).items()}
    planned = {run.name: jobs.digest_settings(run) for run in jobs.list_runs(tuned)}
    unknown = sorted(str(name) for name in names - set(planned))
    changed = sorted(
        str(run.name)
        for run in results.runs
        if run.name in planned and run.settings != planned[run.name]
    )
    problems = ProblemCollector()
    hint = "give the plan that they were made with"
    if unknown:
        what = f"{count_nouns(len(unknown), 'run')} are not in the plan: {format_names(unknown)}"
        problems.add(what, where, hint)
    if changed:
        what = f"{count_nouns(len(changed), 'run')} have other settings than in the plan: "
        problems.add(what + format_names(changed), where, hint)
    problems.raise_if_any()

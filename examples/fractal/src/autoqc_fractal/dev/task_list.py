"""What the manifest is made from: `fractal-manifest create --package autoqc-fractal`."""

from fractal_task_tools.task_models import ParallelTask

AUTHORS = "The autoqc developers"
DOCS_LINK = None
TASK_LIST = [
    ParallelTask(
        name="Judge frames with autoqc",
        executable="judge_image.py",
        category="Quality control",
        tags=["quality control", "time series"],
        meta={"cpus_per_task": 2, "mem": 4000},
    )
]

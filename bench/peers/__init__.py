"""Common alternatives to the pipeline: scripts that run in .venv-bench/, and the module that runs them."""

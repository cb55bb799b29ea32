"""What pyproject.toml can't say: a wheel carries the lab's top-level folders inside `labkit` (labkit/project.py)."""

from pathlib import Path
from shutil import copyfile

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
FOLDERS = {
    "data": "*.json", "docs/images": "*.svg", "glue": "*.py", "lambdas": "*.py", "notebooks": "*.ipynb", "sql": "*.sql",
}  # fmt: skip


class BuildWithFolders(build_py):
    """Copies the folders; an editable install finds them in the checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder, pattern in FOLDERS.items():
            target = Path(self.build_lib, "labkit", folder)
            target.mkdir(parents=True, exist_ok=True)
            for file in (HERE / folder).glob(pattern):
                copyfile(file, target / file.name)


setup(cmdclass={"build_py": BuildWithFolders})

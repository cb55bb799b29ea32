"""The start of a worker: ``python -S -E -P bootstrap.py RUNTIME [LAYER...]``.

It runs in the worker, outside of the server's environment, and imports only the runtime's own packages, from RUNTIME.
It sets the function's path as on Lambda: its zip first, then its layers, the standard library and the runtime.
"""

import os
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)


class _InstalledLoader(SourceFileLoader):
    """Load modules from the bytecode that was installed with them.

    A worker must not write beside the code that it runs, so it has its own bytecode directory (``pycache_prefix``).
    Then Python looks nowhere else, and would compile the standard library and boto3 again, which takes a second.
    """

    def get_data(self, path: str) -> bytes:
        if path.endswith(".pyc"):  # Python checks whether it is of this source; if not, it compiles the source
            installed = os.path.join(os.path.dirname(self.path), "__pycache__", os.path.basename(path))
            try:
                return super().get_data(installed)
            except OSError:
                pass  # it was installed without bytecode
        return super().get_data(path)


def main() -> None:
    runtime, *layers = sys.argv[1:]
    sys.path.append(runtime)
    installed = (runtime, os.path.dirname(os.__file__))
    sys.path_hooks.insert(0, lambda path: _finder(path, installed))
    sys.path_importer_cache.clear()  # the standard library's finder exists already
    # Import it before the function's own directory is on the path: a zip may contain its own awslambdaric.
    from awslambdaric.__main__ import main as serve  # type: ignore[import-untyped]

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    extra = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    for layer in layers:
        extra += [f"{layer}/python/lib/{version}/site-packages", f"{layer}/python"]
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *extra]
    sys.argv = ["bootstrap", os.environ["_HANDLER"]]
    serve(sys.argv)


# Python's own finder of modules, with another loader for sources.
_directory_finder = FileFinder.path_hook(
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (_InstalledLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)


def _finder(path: str, installed: tuple[str, ...]) -> FileFinder:
    """Return the finder of a directory, as each of `sys.path_hooks` does.

    Raises:
        ImportError: the next hook is to find one, since the path is not in one of the `installed` directories.
    """
    if not any(path == root or path.startswith(root + os.sep) for root in installed):
        raise ImportError(f"{path} is in the function's zip or in a layer")
    return _directory_finder(path)  # type: ignore[return-value]  # typeshed names its base class


if __name__ == "__main__":
    main()

"""A worker's first lines: ``python -S -E -P bootstrap.py RUNTIME [LAYER...]``.

Runs in the worker, outside of the server's environment: it imports nothing but the runtime's own packages, found in
RUNTIME, and leaves the function a path as Lambda's: its zip first, then its layers, the standard library, the runtime.
"""

import os
import sys


def main() -> None:
    runtime, *layers = sys.argv[1:]
    sys.path.append(runtime)
    # Before the function's own directory is on the path: a zip may carry an awslambdaric of its own.
    from awslambdaric.__main__ import main as serve  # type: ignore[import-untyped]

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    extra = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    for layer in layers:
        extra += [f"{layer}/python/lib/{version}/site-packages", f"{layer}/python"]
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *extra]
    sys.argv = ["bootstrap", os.environ["_HANDLER"]]
    serve(sys.argv)


if __name__ == "__main__":
    main()

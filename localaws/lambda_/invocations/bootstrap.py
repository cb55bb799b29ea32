"""The start of a worker: ``python -S -E -P bootstrap.py RUNTIME [LAYER...]``.

It runs in the worker, outside of the server's environment, and imports only the runtime's own packages, from RUNTIME.
It sets the function's path as on Lambda: its zip first, then its layers, the standard library and the runtime.
"""

import os
import sys


def main() -> None:
    runtime, *layers = sys.argv[1:]
    sys.path.append(runtime)
    # Import it before the function's own directory is on the path: a zip may contain its own awslambdaric.
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

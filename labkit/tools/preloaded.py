"""The fork server imports this module before it forks the first kernel."""

from labkit.tools.warm_kernel import import_packages

import_packages()

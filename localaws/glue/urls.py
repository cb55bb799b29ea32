"""Where the Glue API is served: moto derives the name of this module from that of `models`."""

from __future__ import annotations

from localaws.glue.responses import LocalGlueResponse

url_bases = [r"https?://glue\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/$": LocalGlueResponse.dispatch}

"""moto's paths of S3, answered by this package."""

from moto.s3.urls import url_bases
from moto.s3.urls import url_paths as moto_paths

from localaws.s3.responses import LocalS3Response

__all__ = ["url_bases", "url_paths"]

# A key may contain any character, even a line feed, which a regular expression's dot does not match.
url_paths = {
    path.replace("<key_name>/.*", r"<key_name>/[\s\S]*").replace(".+", r"[\s\S]+"): getattr(
        LocalS3Response, handler.__name__
    )
    for path, handler in moto_paths.items()
}

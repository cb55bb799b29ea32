"""SQL as the front, the dialect, COPY, UNLOAD and the Data API all see it: tokens, and statements to be run."""

"""Shared by the front, the dialect, COPY, UNLOAD and the Data API: SQL tokens, and the interface of COPY and UNLOAD."""

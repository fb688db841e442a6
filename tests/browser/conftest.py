"""Pages of browser tests are built without PNG and PDF files, too."""

from tests.reports.conftest import without_picture_files

__all__ = ["without_picture_files"]

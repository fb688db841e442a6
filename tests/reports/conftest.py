"""Pages of tests are built without PNG and PDF files, which take as long as all the rest."""

import pytest

from reports import drawn


@pytest.fixture(scope="module", autouse=True)
def without_picture_files(request):
    """For all modules but the one that is about them."""
    with pytest.MonkeyPatch.context() as patch:
        if not request.module.__name__.endswith("test_report_files"):
            patch.setattr(drawn, "FORMATS", ())
        yield

"""Where the real data stands that tests read and the project does not carry: beside the repository."""

from pathlib import Path

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """The file or folder there; a test that needs it fails when it is missing, and does not skip."""
    path = SHARED_DATA.joinpath(*parts)
    assert path.exists(), f"{path} is missing: this test proves its rule on real data and is worth nothing without it"
    return path

import stat
from pathlib import Path

from assay.settings import Settings, home_folder, private_folder


def test_settings__home__holds_everything(tmp_path: Path) -> None:
    settings = Settings("http://127.0.0.1:1", None, tmp_path)
    assert (settings.keys, settings.tasks, settings.store) == (tmp_path / "keys", tmp_path / "tasks", tmp_path / "store")


def test_private_folder__open_one__is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o700


def test_private_folder__tighter_one__stays(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert stat.S_IMODE(private_folder(tmp_path).stat().st_mode) == 0o500
    tmp_path.chmod(0o700)


def test_home_folder__open_one_that_was_there__keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert stat.S_IMODE(home_folder(tmp_path).stat().st_mode) == 0o755
    assert stat.S_IMODE(home_folder(tmp_path / "new").stat().st_mode) == 0o700

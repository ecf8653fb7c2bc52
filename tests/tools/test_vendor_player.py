"""The player's libraries are the files of their npm packages, and the check notices when they are not."""

import re
import shutil
from pathlib import Path

from tools.vendor_player import FILES, ROOT, VENDOR, faults, main


def test_each_library_imports_only_what_is_copied_with_it():
    for library in FILES:
        for path in (ROOT / VENDOR / library).rglob("*.js"):
            for target in re.findall(r'\b(?:from|import) ?\(?"([^"\s]+)"', path.read_text("utf-8")):
                assert target.startswith("."), f"{path}: a page cannot find {target}"
                assert (path.parent / target).is_file(), f"{path}: no {target}"


def test_a_changed_missing_or_foreign_file_and_a_wrong_version_are_noticed_and_mended(tmp_path: Path, capsys):
    for library, files in FILES.items():
        package = tmp_path / "node_modules" / library
        for original in files.values():
            (package / original).parent.mkdir(parents=True, exist_ok=True)
            (package / original).write_text(f"{library} {original}")
        (package / "package.json").write_text('{"version": "9.9.9"}')
    (tmp_path / VENDOR).mkdir(parents=True)
    readme = tmp_path / VENDOR / "README.md"
    shutil.copy(ROOT / VENDOR / "README.md", readme)

    assert main([], tmp_path) == 1  # copied, but the table tells other versions
    assert capsys.readouterr().err.count("README.md does not say") == len(FILES)
    readme.write_text("\n".join(f"| {library} | 9.9.9 | licence | use |" for library in FILES))
    assert main(["--check"], tmp_path) == 0

    vendor = tmp_path / VENDOR / "lit-html"
    (vendor / "lit-html.js").write_text("changed")
    (vendor / "directives" / "repeat.js").unlink()
    (vendor / "directives" / "more.js").write_text("")
    assert main(["--check"], tmp_path) == 1
    assert len(faults(tmp_path)) == 3
    assert main([], tmp_path) == 1
    assert faults(tmp_path) == [f"{VENDOR}/lit-html/directives/more.js is not of the package"]

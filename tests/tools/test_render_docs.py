"""The rendered pages say what the code says, and `--check` notices when they do not."""

from messages import TABLE
from messages.gauges import GAUGES
from playhead.settings import PREFIX, Settings
from tools.markdown import table
from tools.render_docs import PAGES, ROOT, main, stale, write


def test_no_page_is_stale():
    assert stale() == []
    assert main(["--check"]) == 0


def test_missing_and_changed_pages_are_stale_until_written(tmp_path):
    paths = [path for path, _ in PAGES]
    assert stale(tmp_path) == paths
    assert write(tmp_path) == paths
    assert stale(tmp_path) == []
    (tmp_path / paths[0]).write_text("changed")
    assert write(tmp_path) == paths[:1]


def test_check_exits_1_when_a_page_is_stale_and_writes_nothing(tmp_path, capsys):
    assert main(["--check"], tmp_path) == 1
    assert "docs/reference/messages.md is stale: run `make docs`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0


def test_every_message_and_every_gauge_has_a_line():
    page = (ROOT / "docs/reference/messages.md").read_text("utf-8")
    for row in TABLE:
        assert f"| {row.number} | {row.cls.NAME} |" in page
    for gauge in GAUGES:
        assert f"| `{gauge.name}` |" in page


def test_every_setting_has_a_line_with_a_meaning():
    page = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `{PREFIX}{name.upper()}` |" in page
        assert field.description


def test_cells_cannot_break_a_table():
    assert table(["A"], [["a | b\nc"]]) == "| A |\n| --- |\n| a \\| b c |\n"

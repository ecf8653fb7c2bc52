"""Joined modules do what single ones do: run by Node, and compared with what they were joined from."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from http_service.joined_modules import ENTRIES, joined, modules_of
from http_service.routes.player import ROOT

NOTICE = re.compile(r"/\*(?:(?!\*/).)*(?:@license|Copyright).*?\*/", re.DOTALL)
NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")

FILES = {
    "start.js": 'const later = () => import("./app.js");\nlater();\n',
    "app.js": """\
/** @import { T } from "./parts/types.js" */
import "./parts/first.js";

import { count as counted, say } from "./parts/state.js";
import { again } from "./parts/again.js";

const PAGES = { one: () => import("./pages/one.js"), gone: () => import("./pages/gone.js") };
say("app " + again());
PAGES.one()
  .then(({ open }) => open())
  .then(() => PAGES.gone().catch((problem) => say(problem.message)))
  .then(() => import("./panels/index.js"))
  .then(({ panels, shared }) => say(panels.join() + shared() + counted()));
""",
    "parts/first.js": 'globalThis.told = ["first"];\n',
    "parts/state.js": """\
let said = 0;
/** Not an export:
export function lost() {} */
export function say(text) {
  told.push(text);
  said++;
}
export const count = () => said;
export class Thing {}
export async function later() {}
""",
    "parts/again.js": (
        'import{say as t,count}from"./state.js";t("again");const n=()=>count();export{n as again,n as same}\n'
    ),
    "pages/one.js": """\
import * as state from "../parts/state.js";
export function open() {
  state.say("open in " + new URL("../worker.js", import.meta.url).pathname.split("/").at(-1));
}
""",
    "pages/gone.js": 'export {};\nthrow new Error("it failed");\n',
    "panels/index.js": """\
import chart from "./chart.js";
export { count as shared } from "../parts/state.js";

/*
export function neither() {}
*/
export const panels = ["events", chart()];
""",
    "panels/chart.js": "function chart() {\n  return `chart\\nimport x.y`.length;\n}\n\nexport { chart as default };\n",
    "frame_worker.js": "export {};\n",
}
TOLD = ["first", "again", "app 1", "open in worker.js", "it failed", "events,1644"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return written(tmp_path / "single", FILES)


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in {**files, "package.json": '{"type": "module"}'}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def told_by(root: Path) -> list[str]:
    """What the app in this folder leaves behind."""
    script = (
        f"await import({json.dumps((root / 'start.js').as_uri())});"
        "await new Promise((done) => setTimeout(done, 100)); console.log(JSON.stringify(told));"
    )
    assert NODE, "the test requirements bring a node"
    ran = subprocess.run(
        [NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return list(json.loads(ran.stdout))


def test_joined_modules_do_what_single_ones_do_each_once_and_in_their_order(root, tmp_path):
    both = written(tmp_path / "joined", {entry: joined(root, entry) for entry in ENTRIES})
    assert told_by(both) == told_by(root) == TOLD


def test_an_entry_holds_what_it_needs_and_nothing_of_the_one_below(root):
    assert list(modules_of(root, "app.js"))[:2] == ["parts/first.js", "parts/state.js"]
    assert {"pages/one.js", "pages/gone.js"} < set(modules_of(root, "app.js"))
    assert "panels/index.js" not in modules_of(root, "app.js")
    panels = joined(root, "panels/index.js")
    assert '"panels/chart.js"()' in panels and '"parts/state.js"()' not in panels


def test_modules_that_import_one_another_are_refused(root):
    (root / "parts/first.js").write_text('import "./again.js";')
    (root / "parts/again.js").write_text('import "./first.js";\nexport const again = 1;\n')
    with pytest.raises(ValueError, match=r"first\.js -> parts/again\.js -> parts/first\.js"):
        joined(root, "app.js")


def test_a_missing_module_is_an_error(root):
    (root / "pages/one.js").unlink()
    with pytest.raises(FileNotFoundError):
        joined(root, "app.js")


def test_notices_of_licences_are_in_what_is_served():
    modules = {path: text for entry in ENTRIES for path, text in modules_of(ROOT, entry).items()}
    notices = [(path, each) for path in modules for each in NOTICE.findall((ROOT / path).read_text())]
    assert {path.split("/")[1] for path, _ in notices} == {"lit-html", "uplot"}
    assert [path for path, notice in notices if notice not in modules[path]] == []
    served = "".join(joined(ROOT, entry) for entry in ENTRIES)
    assert [path for path, notice in notices if notice not in served] == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_player_uses_no_module_syntax_that_is_not_joined(entry):
    for path, text in modules_of(ROOT, entry).items():
        assert not re.search(r"^export (let|var|default|\*)", text, re.MULTILINE), path
        assert not re.search(r"^(await |for await)", text, re.MULTILINE), path
        assert not re.search(r"^import .* with ", text, re.MULTILINE), path
    left = re.findall(r"^(?:import|export)\b.*", joined(ROOT, entry), re.MULTILINE)
    known = (
        r"export const modules|export function take|import \{ modules, take \}|export const \{|import com\."
    )
    assert [line for line in left if not re.match(known, line)] == []

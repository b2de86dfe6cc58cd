"""How the site is published: the workflow agrees with the docs, and grants no more than it must."""

import importlib.util
import re
import sys

import pytest
import yaml
from browser import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WORKFLOW = ROOT / ".github" / "workflows" / "site.yml"
FIRST_USABLE = {  # version of each action on which the others rely
    "actions/checkout": 4, "actions/setup-python": 5, "actions/upload-pages-artifact": 3,
    "actions/deploy-pages": 4,
}  # fmt: skip


@pytest.fixture(scope="module")
def workflow():
    return yaml.load(WORKFLOW.read_text(), yaml.BaseLoader)  # every value as it is written


def steps_of(job) -> dict[str, dict]:
    """Action → its step, and its version, from 4 on "@"."""
    steps = [step for step in job["steps"] if "uses" in step]
    return {step["uses"].partition("@")[0]: step for step in steps}


def test_the_site_is_built_by_the_commands_that_the_docs_give(workflow):
    told = (ROOT / "docs" / "commands.md").read_text().partition("## The course as a site")[2]
    install, build, serve = told.split("```")[1].strip().splitlines()
    runs = [step["run"] for step in workflow["jobs"]["build"]["steps"] if "run" in step]
    assert [run.partition(" --extra-index-url")[0] for run in runs] == [install, build]
    assert "docs/build.py" in build
    assert not [step for step in workflow["jobs"]["deploy"]["steps"] if "run" in step]
    place = steps_of(workflow["jobs"]["build"])["actions/upload-pages-artifact"]["with"]["path"]
    assert serve.endswith(f"--directory {place}")
    builder = importlib.util.spec_from_file_location("builder", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(builder)
    builder.loader.exec_module(module)
    assert ROOT / place == module.DOCS / "_build"  # where it builds if nothing is said


def test_the_site_is_published_from_the_branch_that_is_set(workflow):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert workflow["on"]["push"]["branches"] == [project["tool"]["nst_tutorial"]["branch"]]
    python = steps_of(workflow["jobs"]["build"])["actions/setup-python"]["with"]["python-version"]
    least = project["project"]["requires-python"].removeprefix(">=")
    as_numbers = [tuple(map(int, version.split("."))) for version in (least, python)]
    assert as_numbers == sorted(as_numbers)
    assert as_numbers[1] >= (3, 11)  # which the theme wants


def test_only_what_publishes_may_publish(workflow):
    """The build runs what others wrote; the token that can publish is another job's."""
    build, deploy = workflow["jobs"]["build"], workflow["jobs"]["deploy"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in build
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    assert deploy["needs"] == "build"
    assert deploy["environment"]["name"] == "github-pages"
    assert workflow["concurrency"]["cancel-in-progress"] == "false"
    (publish,) = deploy["steps"]
    assert publish["uses"].startswith("actions/deploy-pages@")
    output = f"${{{{ steps.{publish['id']}.outputs.page_url }}}}"
    assert deploy["environment"]["url"] == output


def test_every_action_has_a_version_that_works_with_the_others(workflow):
    used = {
        name: step["uses"].partition("@")[2]
        for job in workflow["jobs"].values()
        for name, step in steps_of(job).items()
    }
    assert set(used) == set(FIRST_USABLE)
    for name, version in used.items():
        assert int(re.fullmatch(r"v(\d+)", version)[1]) >= FIRST_USABLE[name], name
    for job in workflow["jobs"].values():
        assert 0 < int(job["timeout-minutes"]) <= 60
        assert job["runs-on"] == "ubuntu-latest"

"""Projects: who may send what, and who may read it.

Start at service.py (decides) over cached.py and store.py (only do); changes.py says what may be asked for.
"""

from projects.api_keys import ApiKey, ApiKeys
from projects.changes import ProjectChanges, ProjectCreate, parse_changes, parse_create
from projects.model import Project
from projects.opening import open_projects, open_sign_ins
from projects.sampling import sampled_in
from projects.service import ProjectService
from projects.shares import Shares
from projects.sign_ins import Grant, SignIns
from projects.users import ProjectUser
from projects.view import ProjectView, view

__all__ = [
    "ApiKey",
    "ApiKeys",
    "Grant",
    "Project",
    "ProjectChanges",
    "ProjectCreate",
    "ProjectService",
    "ProjectUser",
    "ProjectView",
    "Shares",
    "SignIns",
    "open_projects",
    "open_sign_ins",
    "parse_changes",
    "parse_create",
    "sampled_in",
    "view",
]

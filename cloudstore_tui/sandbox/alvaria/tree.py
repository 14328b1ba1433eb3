"""The folders of the service, which of them only v3 reaches, and which scope opens which."""

FOLDERS: tuple[str, ...] = (
    "exports/configuration/campaign/",
    "exports/configuration/interaction-management/",
    "exports/outreach/list-management/",
    "exports/reporting/enterprise-historical/",
    "exports/reporting/outreach/",
    "exports/reporting/intraday/",
    "exports/reporting-archive/enterprise-historical/",
    "exports/reporting-archive/outreach/",
    "exports/reporting-archive/intraday/",
    "exports/cxp/recordings/",
    "exports/cxp/callsre/",
    "exports/cxp/utterances/",
    "exports/aps-custom/",
    "exports/compliance/audit/",
    "exports/workforce/",
    "exports/workflow/",
    "exports/motivate/kpi/processed/",
    "exports/motivate/kpi/errors/",
    "imports/apm/aom/",
    "imports/apm/ecf/processed/",
    "imports/apm/ecf/errors/",
    "imports/configuration/campaign/",
    "imports/configuration/interaction-management/",
    "imports/outreach/exclusions/",
    "imports/outreach/list-management/",
    "imports/outreach/nanp/",
    "imports/aps-custom/",
    "imports/workforce/",
    "imports/workflow/",
    "imports/motivate/kpi/processed/",
    "imports/motivate/kpi/errors/",
)
"""The leaves of the published tree; every folder above them exists, too."""

V3_ONLY: tuple[str, ...] = (
    "exports/workforce/",
    "exports/workflow/",
    "imports/workforce/",
    "imports/workflow/",
    "imports/motivate/kpi/",
)
"""Folders that v2 does not know, with all that is in them."""

PREFIX = "mediastorageapi."

SCOPES: dict[str, str] = {
    "exports": "exports/",
    "exports.reporting": "exports/reporting/",
    "exports.reporting.historical": "exports/reporting/enterprise-historical/",
    "exports.reporting.outreach": "exports/reporting/outreach/",
    "exports.configuration": "exports/configuration/",
    "exports.configuration.interaction": "exports/configuration/interaction-management/",
    "exports.configuration.campaign": "exports/configuration/campaign/",
    "exports.outreach": "exports/outreach/",
    "exports.outreach.list": "exports/outreach/list-management/",
    "exports.cxp": "exports/cxp/",
    "exports.cxp.callsre": "exports/cxp/callsre/",
    "exports.cxp.recordings": "exports/cxp/recordings/",
    "exports.cxp.utterances": "exports/cxp/utterances/",
    "exports.aps-custom": "exports/aps-custom/",
    "exports.compliance": "exports/compliance/",
    "exports.compliance.audit": "exports/compliance/audit/",
    "exports.workforce": "exports/workforce/",
    "exports.workflow": "exports/workflow/",
    "imports": "imports/",
    "imports.apm": "imports/apm/",
    "imports.apm.aom": "imports/apm/aom/",
    "imports.apm.ecf": "imports/apm/ecf/",
    "imports.apm.ecf.processed": "imports/apm/ecf/processed/",
    "imports.apm.ecf.errors": "imports/apm/ecf/errors/",
    "imports.configuration": "imports/configuration/",
    "imports.configuration.interaction": "imports/configuration/interaction-management/",
    "imports.configuration.campaign": "imports/configuration/campaign/",
    "imports.outreach": "imports/outreach/",
    "imports.outreach.list": "imports/outreach/list-management/",
    "imports.outreach.exclusions": "imports/outreach/exclusions/",
    "imports.outreach.nanp": "imports/outreach/nanp/",
    "imports.aps-custom": "imports/aps-custom/",
    "imports.workforce": "imports/workforce/",
    "imports.workflow": "imports/workflow/",
    "imports.motivate": "imports/motivate/",
    "imports.motivate.kpi": "imports/motivate/kpi/",
    "imports.motivate.kpi.processed": "imports/motivate/kpi/processed/",
    "imports.motivate.kpi.errors": "imports/motivate/kpi/errors/",
}
"""Each scope without its prefix, and the folder it opens."""


def all_folders() -> set[str]:
    """Every folder of the tree, parents included."""
    found = set()
    for leaf in FOLDERS:
        parts = leaf.rstrip("/").split("/")
        found |= {"/".join(parts[:depth]) + "/" for depth in range(1, len(parts) + 1)}
    return found


def governing_scope(key: str) -> str:
    """The scope, without its prefix, of the innermost folder around a key that has one; empty outside of all."""
    holding = [scope for scope, folder in SCOPES.items() if key.startswith(folder)]
    return max(holding, key=lambda scope: len(SCOPES[scope]), default="")


def is_allowed(key: str, scopes: frozenset[str], *, inherited: bool) -> bool:
    """Whether any of the scopes (with prefix) opens a key; parents open their children where that is inherited."""
    if not inherited:
        return PREFIX + governing_scope(key) in scopes
    known = (SCOPES.get(scope.removeprefix(PREFIX), "") for scope in scopes)
    return any(folder and key.startswith(folder) for folder in known)

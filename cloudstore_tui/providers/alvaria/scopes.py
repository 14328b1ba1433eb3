"""Which scope usually opens which folder, and which folders only v3 has: used for hints, since the service decides."""

FOLDERS = {
    "mediastorageapi.exports": "exports/",
    "mediastorageapi.exports.reporting": "exports/reporting/",
    "mediastorageapi.exports.reporting.historical": "exports/reporting/enterprise-historical/",
    "mediastorageapi.exports.reporting.outreach": "exports/reporting/outreach/",
    "mediastorageapi.exports.configuration": "exports/configuration/",
    "mediastorageapi.exports.configuration.interaction": "exports/configuration/interaction-management/",
    "mediastorageapi.exports.configuration.campaign": "exports/configuration/campaign/",
    "mediastorageapi.exports.outreach": "exports/outreach/",
    "mediastorageapi.exports.outreach.list": "exports/outreach/list-management/",
    "mediastorageapi.exports.cxp": "exports/cxp/",
    "mediastorageapi.exports.cxp.callsre": "exports/cxp/callsre/",
    "mediastorageapi.exports.cxp.recordings": "exports/cxp/recordings/",
    "mediastorageapi.exports.cxp.utterances": "exports/cxp/utterances/",
    "mediastorageapi.exports.aps-custom": "exports/aps-custom/",
    "mediastorageapi.exports.compliance": "exports/compliance/",
    "mediastorageapi.exports.compliance.audit": "exports/compliance/audit/",
    "mediastorageapi.exports.workforce": "exports/workforce/",
    "mediastorageapi.exports.workflow": "exports/workflow/",
    "mediastorageapi.imports": "imports/",
    "mediastorageapi.imports.apm": "imports/apm/",
    "mediastorageapi.imports.apm.aom": "imports/apm/aom/",
    "mediastorageapi.imports.apm.ecf": "imports/apm/ecf/",
    "mediastorageapi.imports.apm.ecf.processed": "imports/apm/ecf/processed/",
    "mediastorageapi.imports.apm.ecf.errors": "imports/apm/ecf/errors/",
    "mediastorageapi.imports.configuration": "imports/configuration/",
    "mediastorageapi.imports.configuration.interaction": "imports/configuration/interaction-management/",
    "mediastorageapi.imports.configuration.campaign": "imports/configuration/campaign/",
    "mediastorageapi.imports.outreach": "imports/outreach/",
    "mediastorageapi.imports.outreach.list": "imports/outreach/list-management/",
    "mediastorageapi.imports.outreach.exclusions": "imports/outreach/exclusions/",
    "mediastorageapi.imports.outreach.nanp": "imports/outreach/nanp/",
    "mediastorageapi.imports.aps-custom": "imports/aps-custom/",
    "mediastorageapi.imports.workforce": "imports/workforce/",
    "mediastorageapi.imports.workflow": "imports/workflow/",
    "mediastorageapi.imports.motivate": "imports/motivate/",
    "mediastorageapi.imports.motivate.kpi": "imports/motivate/kpi/",
    "mediastorageapi.imports.motivate.kpi.processed": "imports/motivate/kpi/processed/",
    "mediastorageapi.imports.motivate.kpi.errors": "imports/motivate/kpi/errors/",
}
"""Each scope, and the folder that it governs."""

_V3_ONLY = (
    "exports/workforce/",
    "exports/workflow/",
    "imports/workforce/",
    "imports/workflow/",
    "imports/motivate/kpi/",
)


def usual_scope(key: str) -> str:
    """The narrowest scope that usually opens a key; empty for keys outside the published tree."""
    fitting = (scope for scope, folder in FOLDERS.items() if key.startswith(folder))
    return max(fitting, key=lambda scope: len(FOLDERS[scope]), default="")


def only_in_v3(folder: str) -> tuple[str, ...]:
    """The direct subfolders of a folder that only v3 is said to reach."""
    return tuple(key for key in _V3_ONLY if key[: key[:-1].rfind("/") + 1] == folder)


def needs_v3(key: str) -> bool:
    """Whether only v3 is said to reach a key."""
    return key.startswith(_V3_ONLY)

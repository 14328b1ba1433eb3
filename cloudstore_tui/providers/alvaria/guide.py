"""How somebody gets what a profile of Alvaria needs: shown to those who have no keys yet."""

GUIDE = """\
Alvaria Cloud Media Storage

Alvaria gives out the keys itself; no page of the product makes them. Ask your Alvaria account team or open a support \
case, and ask for API access to Cloud Media Storage. They need from you who will use it and for which folders. You \
get back:

1. The organisation id, such as acme. It is the first part of the address of your cloud: acme.via.aspect-cloud.net.
2. A client id and a client secret for the grant "client credentials".
3. An API key for usage tracking. Every request carries it as x-api-key.
4. The scopes of the client. They say which folders it may see; all begin with mediastorageapi.
5. The cloud you are on and the host that gives out tokens.

The clouds

* AWS and Azure: via.aspect-cloud.net
* Google: apc.alvaria.cloud
* Workforce on AWS "tri": wos.alvaria.cloud

The token hosts

* AWS US: myaspect.id.aspect-cloud.net
* AWS Europe: myaspect.eu.id.aspect-cloud.net
* AWS UK: myaspect.uk.id.aspect-cloud.net
* AWS Canada: myaspect.ca.id.aspect-cloud.net, and on older pages myaspect.yyz.id.aspect-cloud.net
* AWS US-East "tri": myaccount.tri1.wss.alvaria.cloud
* Azure US, on older pages: myaspect.us-a.id.aspect-cloud.net
* Google US ("DSM"): myaccount.dsm.sre.alvaria.cloud

The scopes

* mediastorageapi.exports opens exports/, and is the only one for exports/reporting-archive/ and exports/motivate/.
* mediastorageapi.exports.reporting opens exports/reporting/ with its intraday/.
* mediastorageapi.exports.reporting.historical opens exports/reporting/enterprise-historical/: the nightly extracts, \
which are kept for 28 days.
* mediastorageapi.exports.cxp.recordings opens exports/cxp/recordings/.
* mediastorageapi.imports opens imports/, and mediastorageapi.imports.outreach.list the call lists in it.

Ask for the narrow ones that you need. Scopes do not tell reading from writing: a client that sees a folder may \
upload to it and delete in it. So profiles are read-only here until you say otherwise.

Version 3 of the API is the usual one. Older clouds know version 2 only; the folders workforce/, workflow/ and \
imports/motivate/kpi/ need version 3.
"""

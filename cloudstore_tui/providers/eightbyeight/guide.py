"""How somebody gets what a profile of 8x8 needs: shown to those who have no keys yet."""

GUIDE = """\
8x8 Cloud Storage Service

The key is made in the 8x8 Admin Console, by somebody with two rights that the Super Admin gives: the permission \
Application Credentials, and the role Cloud Storage API (also called Storage API).

1. Ask the Super Admin of your company to give your user both. Without them the page or the product below is missing.
2. Sign in to the Admin Console and open API Keys.
3. Create an app. Give it a name that says what it is for, such as "recordings to archive".
4. As its product choose Call Recordings & Storage. A key for another product logs in, but sees no storage.
5. Choose its level, the lowest that is enough (below).
6. Save. The page shows a key and a secret. The key is the client id here. Copy both now: the secret is the password.
7. Wait some minutes: a new key, or a product added to one, is not known everywhere at once.

The levels

* Read-only: search and look at details.
* Download-only: also fetch recordings. Enough for most people and for nightly jobs.
* Edit: also delete, and ask for archived recordings back.

The regions

Your data is in one or more of us-east, us-west, uk, ca and ap (Australia). There is no eu: European customers are \
in uk. Leave the regions empty and the service is asked.

All addresses begin with https://api.8x8.com. A firewall has to let that through, and the hosts that links lead to.
"""

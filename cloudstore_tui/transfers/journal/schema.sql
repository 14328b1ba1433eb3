-- No column holds an address of bytes, a header, a token or the body of a reply.
CREATE TABLE transfer (
    id INTEGER PRIMARY KEY,
    writer TEXT NOT NULL,
    wish TEXT NOT NULL DEFAULT '',       -- what another program asks of the writer: pause, resume, cancel
    kind TEXT NOT NULL,
    profile TEXT NOT NULL,
    region TEXT NOT NULL,
    path TEXT NOT NULL,
    batch TEXT NOT NULL DEFAULT '',      -- what it was asked for with, as JSON
    folder TEXT NOT NULL,                -- of an upload: the file
    root TEXT NOT NULL DEFAULT '',       -- the folder above it that the user named; empty if it is the same
    name TEXT NOT NULL DEFAULT '',
    on_conflict TEXT NOT NULL DEFAULT 'refuse',
    overwrite INTEGER NOT NULL DEFAULT 0,
    sha256 INTEGER NOT NULL DEFAULT 0,
    entry TEXT NOT NULL DEFAULT '',      -- what was known of the object, as JSON
    account TEXT NOT NULL DEFAULT '',    -- whose account the profile was, as JSON
    file TEXT NOT NULL DEFAULT '',       -- which file an upload was to send, as JSON
    part_id TEXT NOT NULL DEFAULT '',
    part TEXT NOT NULL DEFAULT '',
    alone TEXT NOT NULL DEFAULT '',      -- the name of the part file where nothing can be locked
    inode INTEGER NOT NULL DEFAULT 0,
    durable INTEGER NOT NULL DEFAULT 0,
    size INTEGER,
    etag TEXT NOT NULL DEFAULT '',
    zip TEXT NOT NULL DEFAULT '',
    intent REAL NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'queued',
    reason TEXT NOT NULL DEFAULT '',
    code INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    place REAL NOT NULL DEFAULT 0        -- where it stands in the queue: lower ones begin first
);
CREATE INDEX transfer_part_id ON transfer (part_id) WHERE part_id <> '';
CREATE INDEX transfer_failed ON transfer (path) WHERE state = 'failed';
CREATE TABLE member (
    transfer INTEGER NOT NULL REFERENCES transfer ON DELETE CASCADE,
    position INTEGER NOT NULL,
    path TEXT NOT NULL,
    folder TEXT NOT NULL,
    root TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    on_conflict TEXT NOT NULL,
    sha256 INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (transfer, position)
) WITHOUT ROWID;
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    transfer INTEGER NOT NULL,
    what TEXT NOT NULL
);

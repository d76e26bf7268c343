"""The tables of ecr.sqlite. Times are seconds since 1970 (UTC), JSON columns hold text."""

from __future__ import annotations

VERSION = 1

ADDED = (
    """
create table if not exists upload_parts (
    upload_id text primary key references uploads on delete cascade,
    last integer not null,   -- bytes of the last part
    smallest integer         -- bytes of the smallest part before the last one
) without rowid
""",
    """
-- images that are in the archive, or have been; the others have no row
create table if not exists image_storage (
    image_id integer primary key references images on delete cascade,
    archived integer not null,       -- 1 in the archive, 0 on the way back, or back
    archived_at real not null,       -- lastArchivedAt
    activated_at real                -- lastActivatedAt: when the image is, or was, back
)
""",
    "drop table if exists preview_results",  # a preview is kept as documents since
    """
-- blobs of deleted images, which are removed unless a push needs them (collection.py)
create table if not exists left_blobs (
    repository_id integer not null references repositories on delete cascade,
    digest text not null,
    since real not null,             -- real time, seconds since 1970
    primary key (repository_id, digest)
) without rowid
""",
    "create index if not exists left_blobs_since on left_blobs (since)",
    """
-- artifacts whose subject was deleted, which a lifecycle policy removes (artifacts.py)
create table if not exists left_artifacts (
    image_id integer primary key references images on delete cascade,
    since real not null              -- when the subject was deleted
)
""",
    "create index if not exists images_in_order on images (repository_id, id)",
)
"""Tables that came later or went, made and dropped at each start where that is not done."""

SCHEMA = """
create table repositories (
    id integer primary key,
    account text not null,
    region text not null,
    name text not null,
    created_at real not null,
    mutability text not null default 'MUTABLE',
    mutability_exclusions text not null default '[]',   -- JSON: [{filterType, filter}]
    scan_on_push integer not null default 0,
    encryption text not null default '{"encryptionType": "AES256"}',   -- JSON
    unique (account, region, name)
);
-- resource tags of AWS (cost centre, owner), not image tags
create table repository_tags (
    repository_id integer not null references repositories on delete cascade,
    key text not null,
    value text not null,
    primary key (repository_id, key)
) without rowid;
create table images (
    id integer primary key,
    repository_id integer not null references repositories on delete cascade,
    digest text not null,
    media_type text not null,
    artifact_type text,
    subject text,                    -- digest of the image that this one refers to
    size integer not null,           -- imageSizeInBytes
    body blob not null,
    annotations text not null default '{}',
    pushed_at real not null,
    last_pulled_at real,
    unique (repository_id, digest)
);
create index images_subject on images (repository_id, subject);
create table image_tags (
    repository_id integer not null references repositories on delete cascade,
    tag text not null,
    image_id integer not null references images on delete cascade,
    tagged_at real not null,
    primary key (repository_id, tag)
) without rowid;
create index image_tags_image on image_tags (image_id);
-- what an image is made of: blobs of an image, manifests of an index
create table image_parts (
    image_id integer not null references images on delete cascade,
    digest text not null,
    media_type text not null,
    primary key (image_id, digest)
) without rowid;
create index image_parts_digest on image_parts (digest);
create table blobs (
    digest text primary key,
    size integer not null
) without rowid;
create table repository_blobs (
    repository_id integer not null references repositories on delete cascade,
    digest text not null references blobs,
    added_at real not null,
    primary key (repository_id, digest)
) without rowid;
create index repository_blobs_digest on repository_blobs (digest);
create table uploads (
    id text primary key,
    repository_id integer not null references repositories on delete cascade,
    received integer not null default 0,   -- bytes acknowledged; the file may hold more
    parts integer not null default 0,
    started_at real not null
) without rowid;
-- only the hash: whoever reads this file learns no password
create table tokens (
    hash text primary key,
    account text not null,
    region text not null,
    arn text not null,
    user_id text not null,
    access_key_id text not null,
    expires_at real not null
) without rowid;
-- JSON that ECR stores and returns whole: policies, rules, templates, findings
create table registry_documents (
    account text not null,
    region text not null,
    kind text not null,
    name text not null,
    body text not null,
    primary key (account, region, kind, name)
) without rowid;
create table repository_documents (
    repository_id integer not null references repositories on delete cascade,
    kind text not null,
    name text not null,
    body text not null,
    primary key (repository_id, kind, name)
) without rowid;
create table image_documents (
    image_id integer not null references images on delete cascade,
    kind text not null,
    name text not null,
    body text not null,
    primary key (image_id, kind, name)
) without rowid;
"""

create table artefacts (
    id          bigint generated always as identity primary key,
    name        text        not null,
    version     text        not null,
    media_type  text        not null,
    bytes       bigint      not null check (bytes >= 0),
    sha256      text        not null,
    object_key  text        not null,
    created_at  timestamptz not null default now(),
    unique (name, version)
);

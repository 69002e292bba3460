create table reports (
    id          bigint generated always as identity primary key,
    artefacts   bigint      not null,
    bytes       bigint      not null,
    damaged     bigint      not null,
    created_at  timestamptz not null default now()
);

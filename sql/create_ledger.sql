create schema if not exists etl;
create table etl.toll_ledger (
    object        varchar(4096) not null,  -- the key, percent-encoded
    version       varchar(1100) not null,  -- the job inserts NULL for a version that is already there, and NOT NULL refuses it
    loaded_rows   bigint        not null,
    rejected_rows bigint        not null,
    job_run       varchar(256)  not null,
    loaded_at     timestamp     not null
);

create table if not exists public.toll_table (
    transaction_id     bigint,
    transaction_date   varchar not null,
    toll_booth         varchar not null,
    vehicle_make       varchar not null,
    vehicle_category   varchar not null,
    transaction_amount real
);

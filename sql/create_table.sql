CREATE TABLE IF NOT EXISTS public.toll_table (
    transaction_id     BIGINT,
    transaction_date   VARCHAR(10)  NOT NULL,
    toll_booth         VARCHAR(64)  NOT NULL,
    vehicle_make       VARCHAR(64)  NOT NULL,
    vehicle_category   VARCHAR(64)  NOT NULL,
    transaction_amount REAL
)
DISTSTYLE AUTO;

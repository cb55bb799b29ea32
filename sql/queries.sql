-- The queries of notebook 08, ready for the query editor, psql or any SQL client.

-- Preview the table.
select * from toll_table order by transaction_date, transaction_id limit 10;

-- Revenue by toll booth.
select toll_booth, count(*) as passages, round(sum(transaction_amount)::numeric, 2) as revenue
from toll_table
group by toll_booth
order by revenue desc, toll_booth;

-- Revenue by day.
select transaction_date, count(*) as passages, round(sum(transaction_amount)::numeric, 2) as revenue
from toll_table
group by transaction_date
order by transaction_date;

-- The makes that pass most often.
select vehicle_make, count(*) as passages
from toll_table
group by vehicle_make
order by passages desc, vehicle_make
limit 10;

-- The loads by COPY, the newest first.
select query_id, status, loaded_rows, source_file_count, start_time
from sys_load_history
where table_name = 'toll_table'
order by start_time desc;

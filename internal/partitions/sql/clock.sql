-- Now, and where the last of the periods ahead ends. The sum is one of UTC,
-- where every day has 24 hours.
SELECT clock.now,
       (date_trunc($1, clock.now AT TIME ZONE 'UTC') + ($2 + 1) * ('1 ' || $1)::interval) AT TIME ZONE 'UTC'
FROM (SELECT now() + $3::interval) AS clock (now)

"""Validate the raw flights data and write the clean tables.

Times are `timestamp[us, UTC]`. Text is `string`. "Null" says when a value may be missing; everything else never is.
A flight that has no label (cancelled, diverted, lost) has `arr_at`, `arr_available_at` and `arr_delay` null.

`clean/flights/part-YYYY-MM.parquet`, by New York month of the scheduled departure, sorted by (sched_dep_at, flight_id):

| column | type | unit, meaning | null |
|---|---|---|---|
| flight_id | string | `2013-01-31-UA-1545-EWR` (day, carrier, flight, origin); unique | never |
| day | string | `2013-01-31`, New York date of the scheduled departure | never |
| carrier, origin, dest | string | IATA codes | never |
| flight | int32 | flight number | never |
| tailnum | string | the tail that flew; its absence leaks the outcome (all such flights were cancelled) | 0.7 % |
| sched_dep_at, sched_arr_at | timestamp | from the published schedule: known before any departure | never |
| dep_at | timestamp | wheels off the gate | cancelled |
| arr_at | timestamp | at the gate | no label |
| dep_available_at | timestamp | dep_at + 10 min: when a model may know the departure | with dep_at |
| arr_available_at | timestamp | arr_at + 10 min: when a model may know the arrival and the label | with arr_at |
| dep_delay | int32 | minutes, negative = early; known at dep_available_at, never before | with dep_at |
| arr_delay | int32 | minutes, negative = early; known at arr_available_at, never before | with arr_at |
| distance | int32 | miles | never |
| minute_of_day | int16 | 0..1439, New York clock of the scheduled departure | never |
| weekday | int8 | 1 = Monday .. 7 = Sunday, New York | never |

`clean/weather/part-YYYY-MM.parquet`, by New York month of event_at, sorted by (event_at, origin), which is the key:

| column | type | unit | null |
|---|---|---|---|
| origin | string | EWR, JFK, LGA | never |
| event_at | timestamp | start of the hour that the row describes | never |
| available_at | timestamp | event_at + 60 min: the row holds the hour's last report | never |
| temp, dewp | double | degrees Fahrenheit | rarely |
| humid | double | percent | rarely |
| wind_dir | double | degrees; calm or variable wind has none | 2 % |
| wind_speed, wind_gust | double | miles per hour; no gust is null | rarely, 80 % |
| precip | double | inches in the hour | rarely |
| pressure | double | hectopascal at sea level | 10 % |
| visib | double | miles, at most 10 | rarely |

`clean/planes.parquet`, sorted by tailnum: tailnum string, year int32 (null 2 %), manufacturer, model, type, engine string, engines
int32, seats int32.

`clean/airports.parquet`, sorted by faa: faa, name string, lat, lon double, alt int32 (feet), tzone string (IANA zone; null for 3).
It lacks the Puerto Rican and Virgin Islands destinations (SJU, BQN, STT, PSE).
"""

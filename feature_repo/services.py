"""What a model reads: the facts of the request itself, then feature views."""

from carrier_arr import carrier_arr
from carrier_origin_dep import carrier_origin_dep
from dest_arr import dest_arr
from feast import FeatureService, Field, RequestSource
from feast.types import Float32, String
from flight_number import flight_number
from origin_arr import origin_arr
from origin_dep import origin_dep
from planes import planes
from route import route
from tail_arrival import tail_arrival
from tail_departure import tail_departure
from weather import weather

SCHEDULE = {"group": "schedule"}
# A queue counts departures that were not announced: without that feed it would grow for ever.
QUEUE = {"group": "now", "expires_with": "origin_dep"}

flight_request = RequestSource(
    name="flight_request",
    schema=[
        Field(name="minute_of_day", dtype=Float32, description="of scheduled departure, local", tags=SCHEDULE),
        Field(name="weekday", dtype=Float32, description="1 = Monday, local", tags=SCHEDULE),
        Field(name="carrier", dtype=String, description="airline code", tags=SCHEDULE),
        Field(name="origin", dtype=String, description="airport of departure", tags=SCHEDULE),
        Field(name="dest", dtype=String, description="airport of arrival", tags=SCHEDULE),
        Field(name="distance", dtype=Float32, description="miles", tags=SCHEDULE),
        Field(name="block_min", dtype=Float32, description="scheduled minutes from gate to gate", tags=SCHEDULE),
        Field(name="crowd_origin", dtype=Float32, description="flights of the origin within 30 min", tags=SCHEDULE),
        Field(name="crowd_carrier", dtype=Float32, description="of these, the carrier's own", tags=SCHEDULE),
        Field(name="queue_origin", dtype=Float32, description="overdue at the origin, of 3 h", tags=QUEUE),
        Field(name="queue_carrier", dtype=Float32, description="of these, the carrier's own", tags=QUEUE),
    ],
)

flights_delay = FeatureService(
    name="flights_delay",
    features=[
        weather,
        origin_dep,
        carrier_origin_dep,
        origin_arr,
        dest_arr,
        carrier_arr,
        route,
        flight_number,
        tail_departure,
        tail_arrival,
        planes,
    ],
    description="Will a flight arrive 15 or more minutes late, asked at its scheduled departure?",
    tags={"request": "flight_request", "id": "flight_id"},
)

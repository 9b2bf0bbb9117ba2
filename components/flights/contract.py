"""What is agreed about the raw flights tables: reviewed constants, never computed from the data under test.

Reference period: January to June 2013, the training period (166,158 flights, 13,014 hours of weather). Quartiles,
categories, volumes and match rates are those of that period. Ranges are what is possible, not what was seen.
Null budgets are about twice the worst month of the reference.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pyarrow as pa

from argosy.validation.contract import Band, Column, Contract
from argosy.validation.labels import LabelRule
from components.flights.ingestion import DATE

INT, REAL, TEXT = pa.int64(), pa.float64(), pa.string()
INSTANT = pa.timestamp("us", tz="UTC")

ORIGINS = frozenset({"EWR", "JFK", "LGA"})
CARRIERS = frozenset(re.findall(r"\w+", "9E AA AS B6 DL EV F9 FL HA MQ OO UA US VX WN YV"))
DESTINATIONS = frozenset(
    re.findall(
        r"\w+",
        """
        ABQ ACK ALB ATL AUS AVL BDL BGR BHM BNA BOS BQN BTV BUF BUR BWI BZN CAE CAK CHO CHS CLE CLT CMH CRW CVG
        DAY DCA DEN DFW DSM DTW EGE EYW FLL GRR GSO GSP HDN HNL HOU IAD IAH IND JAC JAX LAS LAX LGB MCI MCO MDW
        MEM MHT MIA MKE MSN MSP MSY MTJ MVY MYR OAK OKC OMA ORD ORF PBI PDX PHL PHX PIT PSE PSP PVD PWM RDU RIC
        ROC RSW SAN SAT SAV SDF SEA SFO SJC SJU SLC SMF SNA SRQ STL STT SYR TPA TUL TVC TYS XNA
        """,
    )
)

FLIGHTS = Contract(
    "flights",
    (
        Column("flight_id", TEXT),
        Column("day", TEXT, pattern=DATE),
        Column("carrier", TEXT, known=CARRIERS),
        Column("flight", INT, low=1, high=9999),
        Column("tailnum", TEXT, max_null=0.05),  # worst month 1.8 %: February's storms
        Column("origin", TEXT, known=ORIGINS),
        Column("dest", TEXT, known=DESTINATIONS),
        Column("sched_dep_time", INT, low=0, high=2359, band=Band(909, 1400, 1730)),
        Column("sched_arr_time", INT, low=0, high=2359),
        Column("dep_time", INT, max_null=0.10, low=1, high=2400),  # worst month 5.1 %
        Column("arr_time", INT, max_null=0.10, low=1, high=2400),  # worst month 5.2 %
        Column("dep_delay", INT, max_null=0.10, low=-120, high=2880, band=Band(-5, -1, 12)),
        Column("arr_delay", INT, max_null=0.10, low=-240, high=2880, band=Band(-16, -4, 15)),
        Column("air_time", INT, max_null=0.10, low=10, high=900, band=Band(82, 131, 191)),
        Column("distance", INT, low=10, high=5500, band=Band(502, 872, 1389)),
        Column("hour", INT, low=0, high=23),
        Column("minute", INT, low=0, high=59),
        Column("time_hour", INSTANT),
        Column("sched_dep_at", INSTANT),
        Column("sched_arr_at", INSTANT),
        Column("dep_at", INSTANT, max_null=0.10),
        Column("arr_at", INSTANT, max_null=0.10),
        Column("dep_available_at", INSTANT, max_null=0.10),
        Column("arr_available_at", INSTANT, max_null=0.10),
    ),
    key=("day", "carrier", "flight", "origin"),
    lags=(("dep_at", "dep_available_at"), ("arr_at", "arr_available_at")),
)

# National Weather Service codes for "not reported"; 99 is no visibility, the scale ends at 10 miles.
_CODES = (-9999.0, -999.0, 999.0, 9999.0)


def _measured(name: str, *, max_null: float = 0.02, low: float, high: float, band: Band | None = None) -> Column:
    codes = {"visib": (*_CODES, 99.0), "pressure": (-9999.0, -999.0, 9999.0)}.get(name, _CODES)  # 999 hPa is weather
    return Column(name, REAL, max_null=max_null, low=low, high=high, outside="NULL", sentinels=codes, band=band)


WEATHER = Contract(
    "weather",
    (
        Column("origin", TEXT, known=ORIGINS),
        Column("day", TEXT, pattern=DATE),
        Column("hour", INT, low=0, high=23),
        _measured("temp", low=-40, high=125, band=Band(37.04, 46.94, 62.06)),
        _measured("dewp", low=-60, high=90, band=Band(21.92, 33.08, 50.0)),
        _measured("humid", low=0, high=100, band=Band(45.26, 59.98, 78.96)),
        _measured("wind_dir", max_null=0.10, low=0, high=360),  # a circle has no quartiles
        _measured("wind_speed", low=0, high=150, band=Band(6.905, 10.357, 14.96)),
        # No gust is null: 64 to 84 % of a month in the reference, more in summer.
        _measured("wind_gust", max_null=0.97, low=0, high=200, band=Band(21.865, 25.317, 29.92)),
        _measured("precip", low=0, high=8),
        _measured("pressure", max_null=0.25, low=850, high=1100, band=Band(1011.6, 1016.9, 1023.3)),
        _measured("visib", low=0, high=10),
        Column("event_at", INSTANT),
        Column("available_at", INSTANT),
    ),
    key=("origin", "event_at"),
    lags=(("event_at", "available_at"),),
)

PLANES = Contract(
    "planes",
    (
        Column("tailnum", TEXT),
        Column("year", INT, max_null=0.05, low=1930, high=2014, outside="NULL", sentinels=(0.0,)),
        Column("manufacturer", TEXT),
        Column("model", TEXT),
        Column("type", TEXT),
        Column("engine", TEXT),
        Column("engines", INT, low=1, high=8),
        Column("seats", INT, low=1, high=900, band=Band(140, 149, 182)),
        Column("speed", INT, max_null=1.0),
    ),
    key=("tailnum",),
)

AIRPORTS = Contract(
    "airports",
    (
        Column("faa", TEXT),
        Column("name", TEXT),
        Column("lat", REAL, low=-90, high=90),
        Column("lon", REAL, low=-180, high=180),
        Column("alt", INT, low=-1500, high=15000),
        Column("tz", INT),
        Column("dst", TEXT, max_null=0.01),
        Column("tzone", TEXT, max_null=0.01),
    ),
    key=("faa",),
)

CONTRACTS = (FLIGHTS, WEATHER, PLANES, AIRPORTS)
QUARANTINE_LIMIT = 0.01
LAGS = {"flights": timedelta(minutes=10), "weather": timedelta(minutes=60)}

# Flights per day. The reference has EWR 230 .. 377, JFK 272 .. 327, LGA 172 .. 313; a quarter less and more passes,
# so that a public holiday (Thanksgiving: 634 in all) does and a lost airport or half a day does not.
DAILY_FLIGHTS = {"EWR": (172, 471), "JFK": (204, 409), "LGA": (129, 391)}
# Share of a month's hours with a row: 99.2 % or more in the reference; an outage of one day passes.
WEATHER_COVERAGE = 0.90
OUTAGE_HOURS = 6

# Share of known tail numbers in planes.csv (AA and MQ give fleet numbers), of destinations in airports.csv (it lacks
# Puerto Rico), of flights with weather at their scheduled hour.
MATCHES = {"planes": 0.8473, "airports": 0.9766, "weather": 0.9994}

# Unlabelled are the cancelled, diverted and lost: 2.2 to 5.4 % of a month in the reference, 0.9 % in a calm October.
# Late flights: 22.7 to 31.5 % of a month.
LATE_MINUTES = 15
LABEL = LabelRule("flights", "arr_delay", (0.005, 0.08), (0.10, 0.40), timedelta(hours=12))

# Gate to gate less air time is 5 .. 235 min; published block times are 50 .. 700 min.
TAXI_MINUTES = (1, 400)
BLOCK_MINUTES = (20, 900)
# Relative humidity from temperature and dew point misses `humid` by over 5 points in 1.0 % of the reference's hours.
HUMIDITY_POINTS, HUMIDITY_SHARE = 5, 0.10
# The warmest New York hour of a month is 13 .. 15 in the reference.
WARMEST_HOURS = (11, 17)
# Published distances are within 1 % of the great circle between the coordinates of airports.csv.
DISTANCE_TOLERANCE = 0.05
# Wind is reported in whole knots; the source gives miles per hour.
MPH_PER_KNOT = 1.15078

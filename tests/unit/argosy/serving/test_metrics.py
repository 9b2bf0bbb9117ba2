from prometheus_client.parser import text_string_to_metric_families

from argosy.serving.hot_path import METHODS
from argosy.serving.metrics import Metrics
from tests.fakes.keyed import ENTITY, a_server, a_store, post
from tests.fakes.online_store import SilentStore
from tests.fakes.serving import ask


def scrape(app):
    """Ask for the metrics; return their samples by name and labels, these in alphabetical order."""
    answer = ask(app, "GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_path_and_status_and_timed():
    app = a_server(a_store())
    post(app, {"entities": ENTITY})
    post(app, {"entities": {}})
    ask(app, "GET", "/nowhere")
    samples = scrape(app)

    assert samples["argosy_requests_total", "/predict", "200"] == 1
    assert samples["argosy_requests_total", "/predict", "422"] == 1
    assert samples["argosy_requests_total", "404", "other"] == 1
    assert samples["argosy_request_seconds_count", "/predict"] == 2
    assert samples["argosy_request_seconds_bucket", "+Inf", "/predict"] == 2
    assert 0 < samples["argosy_request_seconds_sum", "/predict"] < 10


def test_reads_are_counted_by_view_and_status_and_their_ages():
    app = a_server(a_store(age_s=61))
    for _ in range(2):
        post(app, {"entities": ENTITY})
    samples = scrape(app)

    assert samples["argosy_view_reads_total", "OUTSIDE_MAX_AGE", "weather"] == 2
    assert samples["argosy_view_reads_total", "PRESENT", "planes"] == 2
    assert samples["argosy_view_reads_total", "NOT_FOUND", "numbers"] == 2
    assert samples["argosy_view_age_seconds_bucket", "60", "weather"] == 0
    assert samples["argosy_view_age_seconds_bucket", "300", "weather"] == 2
    assert ("argosy_view_age_seconds_count", "numbers") not in samples


def test_outages_of_the_store_and_lost_records_are_counted():
    class Log:
        written, dropped = 7, 2

        def put(self, record):
            """Take it."""

    app = a_server(SilentStore(), served_log=Log())
    post(app, {"entities": ENTITY})
    samples = scrape(app)

    assert samples["argosy_online_outages_total",] == 1
    assert samples["argosy_served_records_total", "written"] == 7
    assert samples["argosy_served_records_total", "dropped"] == 2


def test_a_value_at_a_bound_is_below_it_as_prometheus_has_it():
    metrics = Metrics(tuple(METHODS))
    metrics.count_request("/ready", 200, 0.0005)
    text, _ = metrics.render()

    assert b'argosy_request_seconds_bucket{le="0.0005",path="/ready"} 1.0' in text

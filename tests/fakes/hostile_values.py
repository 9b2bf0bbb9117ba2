"""JSON values that quoting, substitution and readers of numbers trip over, for Hypothesis to put together."""

from hypothesis import strategies as st

NASTY = (
    *("{", "}", "{{", "}}", "{{=", "{{=workflow.name}}", "{{item}}", "{{inputs.parameters.v}}", "{argosy:"),
    *('"', "'", "\\", "\\u007b", r"\"", "\n", "\r\n", "\t", "\0", "\v", "\x1b", "\x7f", "\x85", "\xa0"),
    *(
        "\u2028",
        "\ufeff",
        "\uffff",
        "é",
        "漢",
        "😀",
        "\U000e0067",
        "\U0010ffff",
        "\u202e",
        "<&>",
        " ",
        "#",
        "@/etc/passwd",
    ),
    *(
        "null",
        "NaN",
        "1e400",
        "y",
        "0o17",
        "~",
        "sha256:" + "0" * 64,
        '{"argosy":"measured"}',
        "[1]",
        "$",
        "$$",
        "$(",
        "(",
        "$(HOME)",
        "$$(HOME)",
        "%s",
    ),
)
TEXTS = st.lists(
    st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=4
).map("".join)
NUMBERS = st.sampled_from(
    [0, -0.0, 1.0, 0.1, -1e-7, 5e-324, 1e16, 1e22, 1.7e308, 2**53, 2**53 + 1, -(2**63), 10**30]
) | st.floats(allow_nan=False, allow_infinity=False)
ENVELOPES = st.sampled_from([{"argosy": "value", "value": 1}, {"argosy": "measured", "of": [], "value": "1"}])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | ENVELOPES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.sampled_from(["argosy", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)

# The image of every step, of the model server and of MLflow's server: the project and what its lock pins, without what
# builds and tests it. `make image` builds it; where builds have to be repeatable, with BASE=python:3.11-slim-bookworm@sha256:...
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS installed
# The certificates are the system's, as pip has them; byte code is written here, because pods cannot write it.
ENV UV_SYSTEM_CERTS=true UV_LINK_MODE=copy UV_COMPILE_BYTECODE=true UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=/opt/venv
WORKDIR /project
COPY pyproject.toml requirements.lock LICENSE ./
RUN sed -n '/^uv==/,/# via/p' requirements.lock >/tmp/uv.lock \
 && python3 -m venv /opt/uv && /opt/uv/bin/python -m pip install --quiet --require-hashes -r /tmp/uv.lock \
 && python3 -m venv --without-pip "$VIRTUAL_ENV"
# Extras say what to install, the lock which version and with what hash; whatever it does not name ends the build.
# Feast asks for mypy by way of an extra of SQLAlchemy, and never imports it; packages bring their own tests.
RUN --mount=type=cache,target=/root/.cache/uv echo mypy >/tmp/unused \
 && /opt/uv/bin/uv pip install --quiet -r pyproject.toml -c requirements.lock -b requirements.lock --excludes /tmp/unused \
      --extra features --extra training --extra registry --extra cluster --extra serving --extra flights \
 && grep -oE '^[^ ]+==[^ ;]+' requirements.lock >/tmp/locked && ! /opt/uv/bin/uv pip freeze | grep -vxFf /tmp/locked \
 && find "$VIRTUAL_ENV" -type d -name tests -prune -exec rm -rf {} +
# Argosy is found in the project's folder; all that is installed of it is its name, its command and its entry point.
RUN --mount=type=cache,target=/root/.cache/uv mkdir argosy && touch README.md \
 && /opt/uv/bin/uv pip install --quiet --no-deps -b requirements.lock -e .

FROM ${BASE} AS project
COPY . /project
# A checkout may be private to its owner; the user of a pod is somebody else.
RUN chmod -R a+rX /project && python3 -m compileall -q /project

FROM ${BASE}
COPY --from=installed /opt/venv /opt/venv
COPY --from=project /project /project
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/tmp ARGOSY_PROJECT=/project ARGOSY_STATE=/tmp/argosy
WORKDIR /project
# A number, so that Kubernetes sees that it is not root.
USER 10001:10001
CMD ["argosy"]

# The operator and its agents. Builds anywhere: `docker build -t bankstack/operator .`
# Wheels are taken from wheels/ where that folder is there, else from the index; by hash either way.
FROM python:3.13-slim-trixie AS build
COPY requirements.lock wheel[s] /wheels/
RUN from=$(ls /wheels/*.whl >/dev/null 2>&1 && echo "--no-index --find-links /wheels" || true) \
 && python -m pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
      --require-hashes --only-binary :all: --target /opt/bankstack/packages $from -r /wheels/requirements.lock \
 && find /opt/bankstack/packages -name __pycache__ -prune -exec rm -r {} + \
 && find /opt/bankstack/packages -name '*_test.py' -delete \
 && rm -rf /opt/bankstack/packages/bin \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x 'kubernetes/(aio/)?client/(api|models)/' \
      /opt/bankstack/packages
COPY operator /opt/bankstack/operator
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/bankstack/operator

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="bankstack operator" \
      org.opencontainers.image.licenses="MIT"
# Two arenas: with one per thread, glibc keeps what the event loop freed long ago.
# gRPC's own lines are no JSON, and what they tell is in the resource's status.
ENV PYTHONPATH=/opt/bankstack/operator:/opt/bankstack/packages \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    GRPC_VERBOSITY=NONE
COPY --from=build /opt/bankstack /opt/bankstack
USER 65532:65532
EXPOSE 8080 8081 8082
ENTRYPOINT ["python", "-m", "bankstack"]

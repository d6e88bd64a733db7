# Weir on Deno's official image without a shell. Builds for any platform that image has:
#   docker buildx build --platform linux/amd64,linux/arm64 -t REGISTRY/weir:0.1.0 --push .
#
# Run it as strictly as you like: it writes nothing, needs no capability, and stops on SIGTERM:
#   docker run --read-only --cap-drop=ALL --user 65532 -p 3000:3000 -p 9901:9901 -e UPSTREAMS=http://host:8080 weir:0.1.0

ARG DENO_VERSION=2.9.6
ARG BUILD_IMAGE=docker.io/denoland/deno:debian-${DENO_VERSION}
ARG RUN_IMAGE=docker.io/denoland/deno:distroless-${DENO_VERSION}

FROM ${BUILD_IMAGE} AS cache
ENV DENO_DIR=/deno-dir
WORKDIR /weir
COPY deno.json deno.lock ./
COPY types types
COPY src src
# Everything is fetched and checked against the lock, sources become JavaScript, and then what only tests use is
# dropped: from the cache, and from the lock, which must not name what is not there. What the shorter lock
# still names must be what the whole lock says. zod ships its sources beside what it runs: they stay behind, too.
RUN sources=$(find src -name '*.ts') \
  && deno cache --frozen $sources \
  && mv deno.lock whole.lock \
  && deno cache $sources \
  && deno eval 'const read = (file) => JSON.parse(Deno.readTextFileSync(file)).npm; const whole = read("whole.lock"); for (const [name, { integrity }] of Object.entries(read("deno.lock"))) if (whole[name]?.integrity !== integrity) throw new Error(`${name} is not as deno.lock says`);' \
  && rm whole.lock \
  && deno clean --except $sources \
  && rm -rf /deno-dir/npm/*/zod/*/src \
  && chmod -R a+rX /deno-dir /weir

FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Weir" \
  org.opencontainers.image.description="HTTP load balancer" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/denoland/deno:distroless"
ENV DENO_DIR=/deno-dir \
  DENO_NO_UPDATE_CHECK=1 \
  NO_COLOR=1
COPY --from=cache /deno-dir /deno-dir
COPY --from=cache /weir /weir
COPY LICENSE /weir/
WORKDIR /weir
# The user that distroless images call nonroot. A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 3000 9901
STOPSIGNAL SIGTERM
# Asks /readyz on the admin port. Kubernetes has its own probes and ignores this.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["deno", "run", "--cached-only", "--frozen", "--no-prompt", \
    "--allow-net", \
    "--allow-read=.,/etc/weir,/var/run/secrets/kubernetes.io", \
    "--allow-env=UPSTREAMS,CONFIG,HOST,PORT,ADMIN_HOST,ADMIN_PORT,TRUSTED_PROXIES,WORKERS,LISTENER,BALANCE,ACCESS_LOG,DRAIN_DELAY_MS,DRAIN_DEADLINE_MS,WEIR_STICKY_KEY,KUBERNETES_SERVICE_HOST,KUBERNETES_SERVICE_PORT,HTTP_PROXY,HTTPS_PROXY,ALL_PROXY,NO_PROXY,http_proxy,https_proxy,all_proxy,no_proxy,DENO_SERVE_ADDRESS,DENO_SERVE_AUTOMATIC_COMPRESSION", \
    "--ignore-env=LOG_TOKENS,LOG_STREAM", \
    "src/main.ts", \
    "probe"]
# Weir is process 1 and gets SIGTERM itself. `run` refuses to start without upstreams (exit 64).
ENTRYPOINT ["deno", "run", "--cached-only", "--frozen", "--no-prompt", \
  "--v8-flags=--no-memory-pool-share-memory-on-teardown", \
  "--allow-net", \
  "--allow-read=.,/etc/weir,/var/run/secrets/kubernetes.io", \
  "--allow-env=UPSTREAMS,CONFIG,HOST,PORT,ADMIN_HOST,ADMIN_PORT,TRUSTED_PROXIES,WORKERS,LISTENER,BALANCE,ACCESS_LOG,DRAIN_DELAY_MS,DRAIN_DEADLINE_MS,WEIR_STICKY_KEY,KUBERNETES_SERVICE_HOST,KUBERNETES_SERVICE_PORT,HTTP_PROXY,HTTPS_PROXY,ALL_PROXY,NO_PROXY,http_proxy,https_proxy,all_proxy,no_proxy,DENO_SERVE_ADDRESS,DENO_SERVE_AUTOMATIC_COMPRESSION", \
  "--ignore-env=LOG_TOKENS,LOG_STREAM", \
  "src/main.ts"]
CMD ["run"]

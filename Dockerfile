# The server as a small image. Build: docker build -t verbund .

FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
# The caches make a second build quick and stay out of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p api --bin verbund \
    && cp target/release/verbund /usr/local/bin/verbund

FROM debian:bookworm-slim
# Certificates, for a database URL that names them: sslrootcert=/etc/ssl/certs/ca-certificates.crt
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --no-create-home verbund \
    && install -d -o verbund -g verbund -m 0750 /data
COPY --from=build /usr/local/bin/verbund /usr/local/bin/verbund
# For the profile of partners in docker-compose.yml.
COPY data/seeds /usr/share/verbund/seeds

# By number, so that orchestrators can check that it is not root.
USER 10001:10001
ENV VERBUND_DATA_DIR=/data \
    VERBUND_LISTEN=0.0.0.0:8080
VOLUME /data
WORKDIR /data
EXPOSE 8080
# Checks the configuration, the database and the readiness of the running server.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["verbund", "doctor", "--server"]
ENTRYPOINT ["verbund"]
CMD ["serve"]

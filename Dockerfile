# Ovid in a container. Builds it, and runs the grid in /grid, which is a key-value store unless another is mounted:
#   docker build -t ovid .
#   docker run --rm -it ovid
#   docker run --rm -it -v "$PWD/examples/chat:/grid" ovid box grid.json --attach 10
# `ovid export compose GRID` gives each box of a grid a container of its own.

FROM node:22-bookworm AS build
WORKDIR /ovid
COPY . .
RUN npx -y deno@2.9.5 task compile

FROM debian:bookworm-slim
COPY --from=build /ovid/dist/ovid /usr/local/bin/ovid
# Unpacked here once, for whichever user a container has; its file system may be read-only then.
ENV OVID_CACHE=/opt/ovid
RUN ovid --version && chmod -R a+rX /opt/ovid
RUN useradd --uid 10001 --create-home ovid
# What a volume for data begins as: a folder of this user.
COPY --chown=ovid examples/kvs /grid
RUN chown ovid /grid && install -d -o ovid /data
USER ovid
WORKDIR /grid
ENTRYPOINT ["ovid"]
CMD ["box", "grid.json"]

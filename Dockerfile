# The project with the exact versions of `make install`, for machines on which nothing may be installed:
#     docker build --tag cnn-topology .
# Snakemake's `--containerize` writes a recipe of conda environments instead, without this package. docs/howto/cluster.md
# has what to do with the image.
FROM python:3.12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /opt/cnn-topology
WORKDIR /opt/cnn-topology
COPY . .
RUN make install
# Whoever uses the image may have no home there, and no name, which Snakemake asks for.
ENV PATH=/opt/cnn-topology/.venv/bin:$PATH USERNAME=someone XDG_CACHE_HOME=/tmp/cache MPLCONFIGDIR=/tmp/cache/matplotlib
WORKDIR /work
CMD ["snakemake", "--snakefile", "/opt/cnn-topology/Snakefile", "--cores", "all", "--configfile", "/opt/cnn-topology/config/demo.yaml"]

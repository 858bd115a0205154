# The relayer's image: runs the TypeScript as it stands, without a build step; and a target for development chains.
FROM node:24-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json ./

# Everything, with the development dependencies and the compiled contracts: a chain to play with, and its deployment.
FROM base AS dev
COPY scripts ./scripts
RUN npm ci --no-audit --no-fund
COPY . .
RUN npx hardhat build --quiet && mkdir /keys && chown -R node:node /app /keys
USER node

# What an operator runs.
FROM base AS relayer
ENV NODE_ENV=production
# Nothing that production needs has an install script.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY relayer ./relayer
RUN mkdir /data && chown node:node /data && chmod 700 /data
USER node
VOLUME /data
ENV TRUSS_DATA_DIRECTORY=/data
EXPOSE 9700 9780
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.TRUSS_HTTP_PORT ?? 9780) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# A small young generation: the daemon makes little garbage, and keeps to half the memory.
ENTRYPOINT ["node", "--max-semi-space-size=2", "relayer/main.ts"]
CMD ["start"]

import { split } from '../lib/deployments.mjs';
import { startCaddy } from './caddy.mjs';

/** The split deployment as browsers see it: one origin, the real Caddyfile before everything. */
export async function behindCaddy() {
  const app = await split({ TRUSTED_PROXIES: '127.0.0.1/32' });
  const host = (url) => new URL(url).host;
  const caddy = await startCaddy({
    AUTH_UPSTREAM: host(app.api.origins.auth),
    DRIFT_UPSTREAM: host(app.api.origins.drift),
    GATEWAY_1: host(app.gateways[0]),
    GATEWAY_2: host(app.gateways[1]),
  });
  app.processes.push(caddy);
  app.api.origins = { auth: caddy.url, drift: caddy.url };
  app.gateways = [caddy.url];
  return app;
}

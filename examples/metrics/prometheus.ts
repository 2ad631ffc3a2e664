// Metrics by prom-client. Their names are those of the OpenTelemetry instruments in opentelemetry.ts as Prometheus writes them.
import { Counter, Histogram, type Registry } from 'prom-client'
import { observe } from './observe.js'

/** @returns a function that ends the metrics */
export function prometheusMetrics (registry: Registry): () => void {
  const registers = [registry]
  const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
  const authentications = new Counter({ name: 'keycloak_authentications_total', help: 'Decisions on tokens.', labelNames: ['outcome', 'code', 'reason', 'issuer', 'cached'], registers })
  const authorizations = new Counter({ name: 'keycloak_authorizations_total', help: 'Decisions on the rules of routes.', labelNames: ['outcome', 'code', 'reason', 'issuer', 'http_request_method', 'http_route'], registers })
  const calls = new Histogram({ name: 'keycloak_upstream_duration_seconds', help: 'Calls to Keycloak.', labelNames: ['endpoint', 'issuer', 'http_response_status_code', 'error_type'], buckets, registers })
  const fetches = new Histogram({ name: 'keycloak_keys_duration_seconds', help: 'Fetches of the key set.', labelNames: ['issuer', 'error_type'], buckets, registers })
  return observe({
    onAuthentication: (labels) => authentications.inc(labels),
    onAuthorization: (labels) => authorizations.inc(labels),
    onUpstream: (labels, seconds) => calls.observe(labels, seconds),
    onKeys: (labels, seconds) => fetches.observe(labels, seconds)
  })
}

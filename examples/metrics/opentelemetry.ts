// Metrics and traces by the API of OpenTelemetry.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type ChannelListener, tracingChannel } from 'node:diagnostics_channel'
import { context, type Meter, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api'
import type { KeysEvent, UpstreamEvent } from 'fastify-keycloak-bearer'
import { type Labels, observe } from './observe.js'

/** The attributes of the semantic conventions have dots where the labels of Prometheus have underscores. */
const ATTRIBUTES: Labels = {
  outcome: 'keycloak.outcome',
  code: 'keycloak.code',
  reason: 'keycloak.reason',
  issuer: 'keycloak.issuer',
  cached: 'keycloak.cached',
  endpoint: 'keycloak.endpoint',
  http_request_method: 'http.request.method',
  http_route: 'http.route',
  http_response_status_code: 'http.response.status_code',
  error_type: 'error.type'
}

/** @returns a function that ends the metrics */
export function openTelemetryMetrics (meter: Meter): () => void {
  const authentications = meter.createCounter('keycloak.authentications', { description: 'Decisions on tokens.' })
  const authorizations = meter.createCounter('keycloak.authorizations', { description: 'Decisions on the rules of routes.' })
  const calls = meter.createHistogram('keycloak.upstream.duration', { description: 'Calls to Keycloak.', unit: 's' })
  const fetches = meter.createHistogram('keycloak.keys.duration', { description: 'Fetches of the key set.', unit: 's' })
  return observe({
    onAuthentication: (labels) => authentications.add(1, attributesOf(labels)),
    onAuthorization: (labels) => authorizations.add(1, attributesOf(labels)),
    onUpstream: (labels, seconds) => calls.record(seconds, attributesOf(labels)),
    onKeys: (labels, seconds) => fetches.record(seconds, attributesOf(labels))
  })
}

function attributesOf (labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).flatMap(([name, value]) => value === '' ? [] : [[ATTRIBUTES[name]!, value]]))
}

/**
 * Spans for fetches of keys and calls to Keycloak, under the span that is active when they begin: with @fastify/otel that of the request.
 * @returns a function that ends them
 */
export function openTelemetryTraces (tracer: Tracer): () => void {
  // The call that fetches keys is a child of the fetch.
  const fetches = new AsyncLocalStorage<Span>()
  const ends = [
    traced<KeysEvent>('fastify-keycloak-bearer:keys', ({ issuer }) => tracer.startSpan('keycloak keys', { attributes: { 'keycloak.issuer': issuer } }), fetches),
    traced<UpstreamEvent>('fastify-keycloak-bearer:upstream', ({ endpoint, issuer, method, url }) => {
      const { hostname, port, protocol } = new URL(url)
      const fetch = fetches.getStore()
      return tracer.startSpan(`${method} ${endpoint}`, {
        kind: SpanKind.CLIENT,
        attributes: { 'keycloak.issuer': issuer, 'http.request.method': method, 'url.full': url, 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) }
      }, fetch && trace.setSpan(context.active(), fetch))
    })
  ]
  return () => { for (const end of ends) end() }
}

function traced<Context extends { error?: { reasonCode: string }, statusCode?: number }> (name: string, startSpan: (event: Context) => Span, store?: AsyncLocalStorage<Span>): () => void {
  const { start, asyncEnd } = tracingChannel(name)
  const spans = new WeakMap<object, Span>()
  const spanOf = (event: object): Span => {
    let span = spans.get(event)
    if (span === undefined) spans.set(event, span = startSpan(event as Context))
    return span
  }
  const onStart: ChannelListener = (event) => { spanOf(event as object) }
  const onEnd: ChannelListener = (event) => {
    const { error, statusCode } = event as Context
    const span = spans.get(event as object)
    if (statusCode !== undefined) span?.setAttribute('http.response.status_code', statusCode)
    if (error !== undefined) span?.setAttribute('error.type', error.reasonCode).setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
  }
  // A store is bound before the subscribers of `start` run.
  if (store !== undefined) start.bindStore(store, (event) => spanOf(event as object))
  start.subscribe(onStart)
  asyncEnd.subscribe(onEnd)
  return () => {
    if (store !== undefined) start.unbindStore(store)
    start.unsubscribe(onStart)
    asyncEnd.unsubscribe(onEnd)
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { openTelemetryTraces } from './opentelemetry.js'

test('the fetch of keys and the introspection are spans under the span of the request', async (t) => {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  // It sets the context manager, too.
  provider.register()
  const otel = new FastifyOtelInstrumentation()
  otel.setTracerProvider(provider)
  const end = openTelemetryTraces(trace.getTracer('keycloak'))
  const realm = await createTestRealm()
  const app = await buildApp({ ...realm.options, verifyTokensWithKeycloak: true }, otel.plugin())
  t.after(async () => {
    end()
    await app.close()
    await realm.close()
    await provider.shutdown()
  })
  assert.equal((await realm.inject(app, { url: '/orders/17', as: { roles: ['read-orders'] } })).statusCode, 200)
  const spans = exporter.getFinishedSpans()
  const named = (name: string): ReadableSpan => {
    const span = spans.find((each) => each.name === name)
    assert.ok(span, `no span "${name}" in ${spans.map((each) => each.name).join(', ')}`)
    return span
  }
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]))
  const ancestors = (span: ReadableSpan): string[] => {
    const parent = byId.get(span.parentSpanContext?.spanId ?? '')
    return parent === undefined ? [] : [parent.name, ...ancestors(parent)]
  }
  assert.equal(ancestors(named('GET certs'))[0], 'keycloak keys')
  const roots = ['keycloak keys', 'GET certs', 'POST token/introspect'].map((name) => ancestors(named(name)).at(-1))
  assert.equal(new Set(roots).size, 1)
  assert.match(String(roots[0]), /request/)
  const { attributes } = named('POST token/introspect')
  assert.deepEqual([attributes['http.response.status_code'], attributes['server.address'], attributes['keycloak.issuer']], [200, '127.0.0.1', 'test'])

  realm.error(500, 'introspect')
  exporter.reset()
  assert.equal((await realm.inject(app, { url: '/orders/17', as: { roles: ['read-orders'] } })).statusCode, 503)
  const failed = exporter.getFinishedSpans().find(({ name }) => name === 'POST token/introspect')
  assert.equal(failed?.attributes['error.type'], 'status_unexpected')
})

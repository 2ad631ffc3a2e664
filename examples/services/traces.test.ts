import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { createRealm } from './realm.js'
import { buildShop } from './shop.js'
import { buildWarehouse } from './warehouse.js'

test('one trace leads through both APIs and Keycloak, and no span has a token', async (t) => {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  const fetches = new UndiciInstrumentation()
  fetches.setTracerProvider(provider)
  const otel = new FastifyOtelInstrumentation()
  otel.setTracerProvider(provider)
  const realm = await createRealm()
  const warehouse = await buildWarehouse({ issuer: realm.issuer }, otel.plugin())
  const url = await warehouse.listen({ port: 0, host: '127.0.0.1' })
  const shop = await buildShop({ issuer: realm.issuer, clientSecret: realm.options.clientSecret, warehouse: url, otel: otel.plugin() })
  t.after(async () => {
    await shop.close()
    await warehouse.close()
    await realm.close()
    fetches.disable()
    await provider.shutdown()
  })
  const token = realm.token({ username: 'alice', roles: ['view-parcels'] })
  assert.equal((await shop.inject({ url: '/parcels', headers: { authorization: `Bearer ${token}` } })).statusCode, 200)

  const spans = exporter.getFinishedSpans()
  const call = spans.find(({ attributes }) => attributes['url.full'] === `${url}/parcels`)
  assert.ok(call, 'the call of the warehouse is a span')
  // The calls at start are traces of their own.
  const trace = spans.filter((span) => span.spanContext().traceId === call.spanContext().traceId)
  const handlers = trace.filter(({ attributes }) => attributes['http.route'] === '/parcels').map(({ instrumentationScope }) => instrumentationScope.name)
  assert.ok(handlers.filter((name) => name === '@fastify/otel').length >= 2, 'both APIs have spans in it')
  assert.ok(trace.some(({ attributes }) => String(attributes['url.full']).endsWith('/protocol/openid-connect/token')), 'so has the exchange')
  assert.ok(!JSON.stringify(spans.map(({ attributes, events }) => [attributes, events])).includes(token.split('.')[2]!))
})

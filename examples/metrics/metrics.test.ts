import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import type { KeycloakOptions } from 'fastify-keycloak-bearer'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import { buildApp } from './app.js'
import { openTelemetryMetrics } from './opentelemetry.js'

async function start (t: TestContext, options: Partial<KeycloakOptions> = {}) {
  const realm = await createTestRealm()
  const app = await buildApp({ ...realm.options, ...options })
  t.after(async () => {
    await app.close()
    await realm.close()
  })
  const status = async (url: string, as?: Parameters<typeof realm.token>[0]) => (await realm.inject(app, { url, ...as !== undefined && { as } })).statusCode
  const metrics = async () => (await app.inject('/metrics')).body
  return { realm, app, status, metrics }
}

const GOOD = { roles: ['read-orders'] }

test('decisions are counted by outcome, code and reason, and rules by the pattern of the route', async (t) => {
  const { status, metrics } = await start(t)
  assert.deepEqual([await status('/orders/17', GOOD), await status('/orders/18', { roles: ['other'] }), await status('/orders/19')], [200, 403, 401])
  const text = await metrics()
  assert.match(text, /^keycloak_authentications_total\{outcome="accepted",code="",reason="",issuer="test",cached="false"\} 2$/m)
  assert.match(text, /^keycloak_authentications_total\{outcome="refused",code="not_authenticated",reason="token_missing",issuer="",cached="false"\} 1$/m)
  assert.match(text, /^keycloak_authorizations_total\{outcome="denied",code="permission_denied",reason="role_missing",issuer="test",http_request_method="GET",http_route="\/orders\/:id"\} 1$/m)
})

test('however many users, paths and bad tokens there are, the series stay few', async (t) => {
  const { status, metrics } = await start(t)
  const series = async () => (await metrics()).split('\n').filter((line) => line.startsWith('keycloak_')).length
  const send = async (n: number) => {
    for (const as of [{ ...GOOD, sub: `user-${n}` }, { sub: `user-${n}` }, { forged: true, claims: { azp: `client-${n}` } }, { kid: `key-${n}` }]) await status(`/orders/${n}`, as)
  }
  await send(0)
  const before = await series()
  for (let n = 1; n < 20; n++) await send(n)
  assert.ok(await series() <= before + 20, `${await series()} instead of ${before}`)
  assert.doesNotMatch(await metrics(), /user-|client-|key-|orders\/\d/)
})

test('calls to Keycloak are measured, and their failures have the reason', async (t) => {
  const { realm, status, metrics } = await start(t, { verifyTokensWithKeycloak: true })
  assert.equal(await status('/orders/17', GOOD), 200)
  realm.error(500, 'introspect')
  assert.equal(await status('/orders/17', GOOD), 503)
  const text = await metrics()
  assert.match(text, /^keycloak_upstream_duration_seconds_count\{endpoint="certs",issuer="test",http_response_status_code="200",error_type=""\} 1$/m)
  assert.match(text, /^keycloak_upstream_duration_seconds_count\{endpoint="token\/introspect",issuer="test",http_response_status_code="",error_type="status_unexpected"\} \d+$/m)
  assert.match(text, /^keycloak_keys_duration_seconds_count\{issuer="test",error_type=""\} 1$/m)
})

test('the dashboard asks for metrics and labels that the example exports, and for all of its metrics', async (t) => {
  const { status, metrics } = await start(t)
  await status('/orders/17', GOOD)
  const text = await metrics()
  const exported = new Map<string, Set<string>>()
  for (const [, name, labels] of text.matchAll(/^(keycloak_\w+)\{(.*)\} /gm)) exported.set(name!, new Set(Array.from(labels!.matchAll(/(\w+)="/g), ([, label]) => label!)))
  const { panels } = JSON.parse(readFileSync(new URL('dashboard.json', import.meta.url), 'utf8')) as { panels: Array<{ title: string, targets: Array<{ expr: string }> }> }
  const asked = new Set<string>()
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const names = expr.match(/keycloak_\w+/g) ?? []
      assert.ok(names.length > 0, title)
      const labels = [...Array.from(expr.matchAll(/by \(([^)]*)\)/g), ([, list]) => list!.split(', ')).flat(), ...Array.from(expr.matchAll(/(\w+)(?:=~?|!=)"/g), ([, label]) => label!)]
      for (const name of names) {
        assert.ok(exported.has(name), `${title}: ${name} is not exported`)
        for (const label of labels) assert.ok(exported.get(name)!.has(label), `${title}: ${name} has no label ${label}`)
        asked.add(name.replace(/_(bucket|count|sum)$/, ''))
      }
    }
  }
  assert.deepEqual([...asked].sort(), Array.from(text.matchAll(/^# TYPE (keycloak_\w+)/gm), ([, name]) => name!).sort())
})

test('OpenTelemetry has the same metrics, with the attributes of the semantic conventions', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })] })
  const end = openTelemetryMetrics(provider.getMeter('api'))
  t.after(async () => {
    end()
    await provider.shutdown()
  })
  const { status, metrics } = await start(t)
  await status('/orders/17', { roles: ['other'] })
  await provider.forceFlush()
  const [found] = exporter.getMetrics()[0]!.scopeMetrics
  const names = found!.metrics.map(({ descriptor: { name, unit } }) => name.replaceAll('.', '_') + (unit === 's' ? '_seconds' : '_total'))
  assert.deepEqual(names.sort(), Array.from((await metrics()).matchAll(/^# TYPE (keycloak_\w+)/gm), ([, name]) => name!).sort())
  const { dataPoints } = found!.metrics.find(({ descriptor }) => descriptor.name === 'keycloak.authorizations')!
  assert.deepEqual(dataPoints[0]!.attributes, {
    'keycloak.outcome': 'denied', 'keycloak.code': 'permission_denied', 'keycloak.reason': 'role_missing', 'keycloak.issuer': 'test', 'http.request.method': 'GET', 'http.route': '/orders/:id'
  })
})

import { hasSubscribers } from 'node:diagnostics_channel'
import { test } from 'tap'
import keycloak from '../../index.js'
import { CAPABILITIES, DPOP, PLAIN } from '../../benchmarks/capabilities.mjs'
import { capabilitiesTable } from '../../benchmarks/capabilities.js'
import { capabilitySteps } from '../../benchmarks/capability-steps.mjs'
import { claimsOf } from '../../benchmarks/claims.js'
import type { Measured } from '../../benchmarks/contenders.js'
import { realmFor } from '../support/app.js'

test('each capability is measured on the hook of the plugin, beside a plain Bearer token', async (t) => {
  const client = (await realmFor(t)).dpop()
  const names = [...Object.keys(CAPABILITIES).filter((name) => name !== PLAIN), DPOP]
  for (const name of names) {
    const steps = await capabilitySteps([keycloak], client, name, claimsOf({ issuer: '', exp: 0 }), { blocks: 2, least: 1 })
    t.same(steps.map(({ costs }) => costs.map(({ length }) => length)), [[2], [2], [2]], name)
    t.equal(steps[2]!.name, name)
  }
  for (const name of ['authentication', 'authorization']) t.equal(hasSubscribers(`fastify-keycloak-bearer:${name}`), false)
})

test('the cost of a capability is that over the plain hook of its own process, and its ratio that of the same seconds', async (t) => {
  const at = (...rates: number[]): Measured[] => rates.map((rate) => ({ rate, p50: 1, p99: 1, busy: 1, perCpu: rate * 2 }))
  const rows = capabilitiesTable(new Map([
    ['three issuers', { hooks: [[400, 410], [300, 320], [500, 490]], load: [[at(100, 10), at(90, 9)], [at(100), at(80)]] }]
  ])).split('\n').map((row) => row.split('|').map((cell) => cell.trim()).slice(1, -1))
  t.same(rows[2], [PLAIN, '400', '', '', '', '', '', ''])
  t.same(rows[3], ['three issuers', '410', '10', '-10–20', '0.85', '0.80–0.90', '0.85', '0.80–0.90'])
})

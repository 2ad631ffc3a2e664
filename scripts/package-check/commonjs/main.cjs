// The same by require; the module itself is the plugin.
const { equal, ok } = require('node:assert/strict')
const Fastify = require('fastify')
const keycloak = require('fastify-keycloak-bearer')
const manifest = require('fastify-keycloak-bearer/package.json')
const { requireScopes } = require('fastify-keycloak-bearer/mcp')
const { createTestRealm } = require('fastify-keycloak-bearer/testing')
const smoke = require('../smoke.cjs')

async function main () {
  await smoke({ Fastify, keycloak, createTestRealm, requireScopes })

  const app = Fastify()
  await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', audience: 'api' })
  const error = await app.keycloak.verify('nonsense').catch((error) => error)
  ok(error instanceof keycloak.KeycloakError)
  ok(keycloak.insufficientUserAuthentication({ acr: 'gold' }) instanceof keycloak.KeycloakError)
  equal(keycloak.default.openapi, keycloak.openapi)
  equal(keycloak.default.bearerToken, keycloak.bearerToken)
  equal(typeof keycloak.openapi(), 'function')
  ok(app.hasPlugin(manifest.name))
  await app.close()
}

main()

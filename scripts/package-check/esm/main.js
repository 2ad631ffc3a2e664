// The package in an ES module: its behaviour, and every export.
import { equal, ok } from 'node:assert/strict'
import Fastify from 'fastify'
import keycloak, { bearerToken, insufficientUserAuthentication, KeycloakError, openapi } from 'fastify-keycloak-bearer'
import { requireScopes } from 'fastify-keycloak-bearer/mcp'
import { createTestRealm } from 'fastify-keycloak-bearer/testing'
import smoke from '../smoke.cjs'

await smoke({ Fastify, keycloak, createTestRealm, requireScopes })

const app = Fastify()
await app.register(keycloak, { issuer: 'https://sso.example.com/realms/acme', audience: 'api' })
const error = await app.keycloak.verify('nonsense').catch((error) => error)
ok(error instanceof KeycloakError)
ok(insufficientUserAuthentication({ acr: 'gold' }) instanceof KeycloakError)
equal(keycloak.openapi, openapi)
equal(keycloak.bearerToken, bearerToken)
equal(typeof openapi(), 'function')
ok(app.hasPlugin('fastify-keycloak-bearer'))
await app.close()

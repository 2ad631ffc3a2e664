// The plugin as an ES module and the test realm as CommonJS: both formats are one copy of the package, so `instanceof` holds for either.
// This is not in main.js, because that is bundled too, and a bundle has no package to require.
import { deepEqual, equal } from 'node:assert/strict'
import { createRequire } from 'node:module'
import Fastify from 'fastify'
import keycloak, * as imported from 'fastify-keycloak-bearer'
import smoke from '../smoke.cjs'

const require = createRequire(import.meta.url)
const required = require('fastify-keycloak-bearer')
const { createTestRealm } = require('fastify-keycloak-bearer/testing')
const { requireScopes } = require('fastify-keycloak-bearer/mcp')

for (const name of Object.keys(imported)) equal(required[name], imported[name], name)
deepEqual(Object.keys(imported).sort(), ['KeycloakError', 'bearerToken', 'default', 'insufficientUserAuthentication', 'openapi', 'redisReplayStore', 'redisStore'])
await smoke({ Fastify, keycloak, createTestRealm, requireScopes })

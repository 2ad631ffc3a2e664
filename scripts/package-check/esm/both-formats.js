// The plugin as an ES module and the test realm as CommonJS: a test may have each from either copy of the package, and the
// plugin must know the realm of its process. This is not in main.js, because that is bundled too, and a bundle has no package to require.
import { createRequire } from 'node:module'
import Fastify from 'fastify'
import keycloak from 'fastify-keycloak-bearer'
import smoke from '../smoke.cjs'

const { createTestRealm } = createRequire(import.meta.url)('fastify-keycloak-bearer/testing')
const { requireScopes } = createRequire(import.meta.url)('fastify-keycloak-bearer/mcp')
await smoke({ Fastify, keycloak, createTestRealm, requireScopes })

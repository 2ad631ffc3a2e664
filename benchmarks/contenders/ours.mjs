// This package as it is built, in the modes of its options.
import Fastify from 'fastify'
import keycloak from '../../dist/esm/index.js'

const introspecting = { verifyTokensWithKeycloak: true }

const MODES = {
  default: {},
  'cache: false': { cache: false },
  'cache of 10,000': { cache: { max: 10_000, maxBytes: 1024 ** 3 } },
  'cache of 1': { cache: { max: 1 } },
  revocation: {
    backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
    adminUrl: { path: '/keycloak' },
    // The tokens of the benchmarks live for a month.
    revocation: { maxTokenLifetime: 32 * 86_400 }
  },
  requireAuthentication: { requireAuthentication: true },
  syncUser: { syncUser: async (profile) => ({ ...profile, isActive: true }) },
  introspection: introspecting,
  cacheTtl: { ...introspecting, introspection: { cacheTtl: 60_000 } }
}

export async function start ({ issuer, clientId, clientSecret }, mode) {
  const app = Fastify()
  await app.register(keycloak, { issuer, clientId, clientSecret, audience: clientId, ...MODES[mode] })
  app.get('/profile', { config: { permission: 'read-profile' } }, async (request) => ({ hello: request.user.username }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

// The capabilities whose cost for a hot request is measured beside that of a plain Bearer token: options of the plugin, a config of the
// route, or listeners. Each is the only difference from the plain API, and all get the same token.

/** The API that all others are compared with: one issuer, default options, `permission: 'read-profile'`. */
export const PLAIN = 'plain Bearer'

/** The capability that needs a new proof for each request, so that it is measured by other means than those below. */
export const DPOP = 'DPoP, a proof for each request'

/** The route of all of them, for `/profile`, so that a rule can name the parameter. */
export const ROUTE = '/:page'

const CHANNELS = { authentication: 'fastify-keycloak-bearer:authentication', authorization: 'fastify-keycloak-bearer:authorization' }
const CLIENT_SECRET = 'a-secret-of-the-benchmarks'
const READ = 'read-profile'

/** The tokens of the benchmarks live for a month. */
const REVOCATION = { maxTokenLifetime: 32 * 86_400 }

const withRule = (rule) => ({ config: { permission: [READ, rule] } })
const withConfig = (config) => ({ config: { permission: READ, ...config } })

/**
 * By name: `options` of the plugin, `config` of the route, `channels` with a listener, and `issuers`, the number of realms if they are
 * several.
 */
export const CAPABILITIES = {
  [PLAIN]: {},
  'the same once more': {},
  'a client secret': { options: { clientSecret: CLIENT_SECRET } },
  '`dpop`, Bearer tokens': { options: { dpop: true } },
  '`mtls` by a header, Bearer tokens': { options: { mtls: { header: 'client-cert', proxies: ['127.0.0.1'] } } },
  '`resource`': { options: { resource: 'http://127.0.0.1/profile' } },
  '`backchannelLogout` and `adminUrl`': {
    options: { backchannelLogout: { path: '/backchannel-logout', clients: ['web'] }, adminUrl: { path: '/keycloak' }, revocation: REVOCATION }
  },
  'three issuers': { issuers: 3 },
  'three issuers, `selectIssuer`': { issuers: 3, options: { selectIssuer: () => null } },
  '`introspection.cacheTtl`': { options: { clientSecret: CLIENT_SECRET, verifyTokensWithKeycloak: true, introspection: { cacheTtl: 60_000 } } },
  '`syncUser`, async': { options: { syncUser: async (profile) => profile } },
  '`extractToken`': { options: { extractToken: ({ headers }) => headers.authorization.slice('Bearer '.length) } },
  '`scope`': withConfig({ scope: 'email' }),
  '`{ organization }`': withRule({ organization: 'acme' }),
  '`{ organization, role }`': withRule({ organization: 'acme', role: 'admin' }),
  '`{ organization: { param }, role }`': withRule({ organization: { param: 'page' }, role: 'admin' }),
  '`acr`': withConfig({ acr: 'gold' }),
  '`acr` and `maxAge`': withConfig({ acr: 'gold', maxAge: 30 * 86_400 }),
  'a listener for decisions on tokens': { channels: [CHANNELS.authentication] },
  'listeners for both channels': { channels: Object.values(CHANNELS) }
}

/** The claims of the token of all: what the rules ask for. */
export function capabilityClaims () {
  const now = Math.floor(Date.now() / 1000)
  const roles = ['admin']
  return { iat: now, auth_time: now, acr: 'gold', organization: { acme: { id: '42', roles }, profile: { id: '43', roles } } }
}

/** Options of the plugin and the config of its route for a capability. */
export function setUpOf (name, issuer) {
  const { options = {}, config = { permission: READ }, issuers = 1 } = CAPABILITIES[name]
  if (issuers === 1) return { options: { issuer, ...options }, config }
  const realms = [issuer, ...Array.from({ length: issuers - 1 }, (_, at) => issuer.replace(/[^/]+$/, `other-${at}`))]
  return { options: { issuer: undefined, issuers: realms.map((each) => ({ issuer: each })), ...options }, config }
}

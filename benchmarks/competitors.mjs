// Other packages, each set up as its README says, and Express without any. Claims that a package checks only if it is told to are named.
import { once } from 'node:events'

const ANY_PORT = { port: 0, host: '127.0.0.1' }

export const SERVERS = {
  jose,
  'fastify-jwt': fastifyJwt,
  'fastify-jwt-jwks': fastifyJwtJwks,
  express: bareExpress,
  'express-oauth2-jwt-bearer': expressOauth2JwtBearer,
  'keycloak-connect': keycloakConnect
}

/** https://github.com/panva/jose/blob/main/docs/jwt/verify/functions/jwtVerify.md, with a remote key set. */
async function jose ({ issuer, clientId }) {
  const { createRemoteJWKSet, jwtVerify } = await import('jose')
  const keys = createRemoteJWKSet(new URL(`${issuer}/protocol/openid-connect/certs`))
  const app = await newFastify()
  app.decorateRequest('claims', null)
  app.addHook('onRequest', async (request, reply) => {
    try {
      const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
      request.claims = (await jwtVerify(token, keys, { issuer, audience: clientId, algorithms: ['RS256'] })).payload
    } catch {
      return reply.code(401).send()
    }
    if (!mayRead(request.claims, clientId)) return reply.code(403).send()
  })
  app.get('/profile', async (request) => ({ hello: request.claims.preferred_username }))
  return await listeningFastify(app)
}

/** "Verifying with JWKS" of the README of @fastify/jwt; and its option cache, with which "performance is dramatically improved". */
async function fastifyJwt ({ issuer, clientId }, mode) {
  const { default: fastifyJwt } = await import('@fastify/jwt')
  const { default: buildGetJwks } = await import('get-jwks')
  const getJwks = buildGetJwks({ issuersWhitelist: [issuer], providerDiscovery: true })
  const app = await newFastify()
  await app.register(fastifyJwt, {
    decode: { complete: true },
    secret (request, token) {
      const { header: { kid, alg }, payload: { iss } } = token
      return getJwks.getPublicKey({ kid, domain: iss, alg })
    },
    verify: { cache: mode === 'cache', algorithms: ['RS256'], allowedIss: issuer, allowedAud: clientId }
  })
  app.addHook('onRequest', async (request, reply) => {
    try {
      await request.jwtVerify()
    } catch (err) {
      return reply.send(err)
    }
    if (!mayRead(request.user, clientId)) return reply.code(403).send()
  })
  app.get('/profile', async (request) => ({ hello: request.user.preferred_username }))
  return await listeningFastify(app)
}

/** The README's first example, and its option cache. */
async function fastifyJwtJwks ({ issuer, clientId }, mode) {
  const { default: fastifyJwtJwks } = await import('fastify-jwt-jwks')
  const app = await newFastify()
  await app.register(fastifyJwtJwks, {
    jwksUrl: `${issuer}/protocol/openid-connect/certs`,
    issuer,
    audience: clientId,
    ...(mode === 'cache' && { cache: true })
  })
  app.get('/profile', {
    preValidation: [app.authenticate, (request, reply, done) => {
      if (mayRead(request.user, clientId)) done()
      else reply.code(403).send()
    }]
  }, async (request) => ({ hello: request.user.preferred_username }))
  return await listeningFastify(app)
}

async function bareExpress ({ username }) {
  const app = await newExpress()
  app.get('/profile', (request, response) => { response.json({ hello: username }) })
  return await listeningExpress(app)
}

/** The README's first example, with claimCheck for the role. */
async function expressOauth2JwtBearer ({ issuer, clientId }) {
  const { auth, claimCheck } = await import('express-oauth2-jwt-bearer')
  const app = await newExpress()
  app.use(auth({ issuerBaseURL: issuer, audience: clientId }))
  app.get('/profile', claimCheck((claims) => mayRead(claims, clientId)), (request, response) => {
    response.json({ hello: request.auth.payload.preferred_username })
  })
  return await listeningExpress(app)
}

/** Keycloak's guide to the adapter: a bearer-only client, and protect() with a role of it. */
async function keycloakConnect ({ issuer, clientId }) {
  const { default: Keycloak } = await import('keycloak-connect')
  const [serverUrl, realm] = issuer.split('/realms/')
  const keycloak = new Keycloak({}, {
    realm,
    resource: clientId,
    'auth-server-url': serverUrl,
    'bearer-only': true,
    'verify-token-audience': true
  })
  const app = await newExpress()
  app.use(keycloak.middleware())
  app.get('/profile', keycloak.protect('read-profile'), (request, response) => {
    response.json({ hello: request.kauth.grant.access_token.content.preferred_username })
  })
  return await listeningExpress(app)
}

function mayRead (claims, clientId) {
  return claims.resource_access?.[clientId]?.roles?.includes('read-profile') === true
}

async function newFastify () {
  const { default: Fastify } = await import('fastify')
  return Fastify()
}

async function listeningFastify (app) {
  await app.listen(ANY_PORT)
  return app.server
}

async function newExpress () {
  const { default: express } = await import('express')
  return express()
}

async function listeningExpress (app) {
  const server = app.listen(ANY_PORT.port, ANY_PORT.host)
  await once(server, 'listening')
  return server
}

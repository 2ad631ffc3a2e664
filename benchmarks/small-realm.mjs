// A realm in the process of a microbenchmark: a key set on a socket, and tokens of any size.
import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Fastify from 'fastify'
import keycloak from '../dist/esm/index.js'
import { claimsOf } from './claims.mjs'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
export { publicKey }

/** @param keys how many the realm publishes; the last one signs */
export async function smallRealm (keys = 1) {
  const kid = randomUUID()
  const others = Array.from({ length: keys - 1 }, strangerJwk)
  const body = JSON.stringify({ keys: [...others, { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] })
  const server = createServer((_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end(body))
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${server.address().port}/realms/acme`
  return {
    bytes: body.length,
    token: (claims = {}, key = privateKey) => token(issuer, kid, claims, key),
    /** An API of this realm. `hooks` are the plugin's, to be called without a request's way through Fastify. */
    async api (options = {}) {
      const app = Fastify()
      const hooks = []
      const addHook = app.addHook
      app.addHook = function (name, hook) {
        if (name === 'onRequest') hooks.push(hook)
        return addHook.call(this, name, hook)
      }
      await app.register(keycloak, { issuer, clientId: 'api', audience: 'api', ...options })
      app.addHook = addHook
      addHook.call(app, 'onRoute', (route) => hooks.push(...[route.onRequest ?? []].flat()))
      return { app, hooks }
    }
  }
}

/** Strings that are equal and yet not the same, as those of requests: to compare them takes all their characters. */
export function copies (text, count = 1024) {
  return Array.from({ length: count }, () => Buffer.from(text).toString('latin1'))
}

function token (issuer, kid, claims, key) {
  const payload = { ...claimsOf({ issuer, exp: Math.floor(Date.now() / 1000) + 86_400 }), ...claims }
  const input = [{ alg: 'RS256', typ: 'JWT', kid }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}

/** A key that nobody has the private half of: its modulus is a random odd number. */
function strangerJwk () {
  const modulus = randomBytes(256)
  modulus[0] |= 0x80
  modulus[255] |= 1
  return { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB', kid: randomUUID(), alg: 'RS256', use: 'sig' }
}

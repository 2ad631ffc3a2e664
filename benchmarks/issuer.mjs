// The realm that all contenders ask: discovery, key set, introspection. An answer of introspection is made once for each
// token, so that the issuer is never what a contender waits for. Ends with whoever started it.
import { createServer } from 'node:http'

const { port, path, jwks, clientId, clientSecret } = JSON.parse(process.argv[2])
process.on('disconnect', () => process.exit())

const url = `http://127.0.0.1:${port}${path}`
const ANSWERS = {
  '/.well-known/openid-configuration': JSON.stringify({
    issuer: url,
    jwks_uri: `${url}/protocol/openid-connect/certs`,
    introspection_endpoint: `${url}/protocol/openid-connect/token/introspect`,
    id_token_signing_alg_values_supported: ['RS256']
  }),
  '/protocol/openid-connect/certs': JSON.stringify(jwks)
}
const made = new Map()

const server = createServer((request, response) => {
  const known = ANSWERS[request.url.slice(path.length)]
  if (known !== undefined) return send(response, 200, known)
  if (request.method !== 'POST' || request.url !== `${path}/protocol/openid-connect/token/introspect`) return send(response, 404, '{}')
  let body = ''
  request.setEncoding('latin1')
  request.on('data', (chunk) => { body += chunk })
  request.on('end', () => {
    if (!made.has(body)) made.set(body, introspect(new URLSearchParams(body)))
    send(response, 200, made.get(body))
  })
})
server.keepAliveTimeout = 0
server.on('error', (error) => process.send({ error: error.code }))
server.listen(port, '127.0.0.1', () => process.send({ url }))

function send (response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}

function introspect (form) {
  if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) return '{"active":false}'
  const [, payload] = form.get('token').split('.')
  // The check at start asks about what is no token.
  if (payload === undefined) return '{"active":false}'
  const claims = JSON.parse(Buffer.from(payload, 'base64url'))
  return JSON.stringify({ ...claims, client_id: claims.azp, username: claims.preferred_username, token_type: claims.typ, active: true })
}

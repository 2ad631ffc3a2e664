// The cost of a request with a DPoP proof in one process, without sockets, beside a bare signature check and a Bearer token, and the cost
// of routes that demand a login. Everything goes by the public entry.
import { createPublicKey, verify } from 'node:crypto'
import { closeApis, copies, costsInTurn, heldRequest, stepApi, stepRealm } from './step-realm.mjs'

const HOST = 'api.example.com'
const ROUTE = { permission: 'read-profile' }

/** The calls of a block of costsInTurn without a least duration. */
const RETURNS = 50

/** Seconds that a proof may wait to be measured. */
const MAX_AGE = 300

const DPOP = { maxAge: MAX_AGE, replay: { max: 1e7 } }
const NONCE = { secret: 'n'.repeat(32), maxAge: MAX_AGE }

/**
 * For each step the costs in nanoseconds, block by block, measured in turn with the others of its group.
 * @param client makes the proofs: `dpop()` of a test realm
 * @param proofs so many are made for each step, because each is used once
 * @param least microseconds of a block
 */
export async function proofSteps (plugin, client, claims, { proofs = 16_000, blocks = 15, least } = {}) {
  const realm = await stepRealm(claims)
  const steps = []
  try {
    for (const group of [await signatureSteps(plugin, client, realm, proofs), await loginSteps(plugin, realm)]) {
      const costs = await costsInTurn(Object.values(group), blocks, least)
      steps.push(...Object.keys(group).map((name, at) => ({ name, costs: [costs[at]] })))
    }
  } finally {
    await closeApis()
  }
  return steps
}

/** The nanoseconds of the hook for a client that comes back with a new proof each time, block by block. */
export async function returningClientCosts (plugin, client, realm, blocks) {
  const token = realm.token({ typ: 'DPoP', cnf: { jkt: client.jkt } })
  const proofs = await Promise.all(Array.from({ length: RETURNS * (blocks + 2) }, () => client.proof({ url: `http://${HOST}/`, token })))
  const [costs] = await costsInTurn([presenting(await proofRequest(plugin, realm, DPOP, token), proofs)], blocks, 0)
  return costs
}

/** Steps that check a signature of ES256. */
async function signatureSteps (plugin, client, realm, count) {
  const token = realm.token({ typ: 'DPoP', cnf: { jkt: client.jkt } })
  const proof = (more) => client.proof({ url: `http://${HOST}/`, token, ...more })
  const proofs = (more) => Promise.all(Array.from({ length: count }, (_, at) => proof(more?.(at))))
  const nonced = await proofRequest(plugin, realm, { ...DPOP, nonce: NONCE }, token)
  const nonce = await nonceOf(nonced.app, token, await proof())
  return {
    'crypto.verify of ES256 alone': signatureChecks(await proofs()),
    'the whole hook, DPoP, a client that returns': presenting(await proofRequest(plugin, realm, DPOP, token), await proofs()),
    'the same with a nonce': presenting(nonced, await proofs(() => ({ nonce }))),
    // The header is another each time, so that the key is imported.
    'the same, the first proof of a client': presenting(await proofRequest(plugin, realm, DPOP, token), await proofs((at) => ({ header: { at } })))
  }
}

/** Steps for a kept token that check no signature. */
async function loginSteps (plugin, realm) {
  const token = realm.token({ acr: 'gold', auth_time: Math.floor(Date.now() / 1000) })
  const acr = { ...ROUTE, acr: 'gold' }
  const maxAge = { ...ROUTE, maxAge: 86_400 }
  const hook = async (config, options) => {
    const { run } = await heldRequest(await stepApi(plugin, realm, options), config, token)
    for (let times = 0; times < 3; times++) mustPass(run())
    return run
  }
  return {
    'the whole hook, Bearer, a permission': await hook(ROUTE),
    'the same with the option dpop': await hook(ROUTE, { dpop: true }),
    'the same with acr': await hook(acr),
    'the same with maxAge': await hook(maxAge),
    'the same with acr and maxAge': await hook({ ...acr, ...maxAge })
  }
}

function signatureChecks (proofs) {
  const { jwk } = JSON.parse(Buffer.from(proofs[0].split('.')[0], 'base64url'))
  const options = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }
  let calls = 0
  return () => {
    const proof = proofs[calls++]
    const end = proof.lastIndexOf('.')
    return mustPass(verify('sha256', Buffer.from(proof.slice(0, end)), options, Buffer.from(proof.slice(end + 1), 'base64url')))
  }
}

/** A request that is in flight, and its way through the hook with a token that is bound to a key. */
async function proofRequest (plugin, realm, dpop, token) {
  const api = await stepApi(plugin, realm, { dpop })
  const { request, decide } = await heldRequest(api, ROUTE, realm.token())
  request.headers.host = HOST
  const requests = copies(`DPoP ${token}`).map((authorization) => ['Host', HOST, 'Accept', 'application/json', 'Authorization', authorization, 'DPoP', ''])
  return { app: api.app, request, decide, requests }
}

/** The hook with one proof after the other. */
function presenting ({ request, decide, requests }, proofs) {
  let calls = 0
  const run = () => {
    const rawHeaders = requests[calls & 1023]
    rawHeaders[7] = proofs[calls++]
    request.raw.rawHeaders = rawHeaders
    request.headers.authorization = rawHeaders[5]
    return mustPass(decide())
  }
  for (let times = 0; times < 3; times++) run()
  return run
}

async function nonceOf (app, token, proof) {
  const { headers } = await app.inject({ url: '/', headers: { host: HOST, authorization: `DPoP ${token}`, dpop: proof } })
  return headers['dpop-nonce']
}

function mustPass (passed) {
  if (passed !== true) throw new Error('a good request was refused; it may be that there are too few proofs')
  return passed
}

// The realm of the benchmarks: one key, and the same requests for all contenders. Signing 100,000 tokens takes a minute of a core, so
// they are kept in .cache/ under the port that their `iss` names, and made anew a day before they expire.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomInt, randomUUID, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { claimsOf, usernameOf } from './claims.js'
import { cacheFile } from './processes.js'

export const CLIENT = { clientId: 'api', clientSecret: 'a-secret-of-the-benchmarks' }
export const HOST = 'api.example.com'
const PATH = '/realms/acme'
const DISTINCT = 100_000
const DAY = 86_400
const signAsync = promisify(sign)

/** A file of HTTP requests, one behind the other, each of the same length. */
export interface Requests {
  file: string
  /** Bytes of each request. */
  size: number
  count: number
  /** Their numbers in the order in which they are sent, as integers of 32 bits, and the place of the first; by default one after the other. */
  order?: { file: string, from: number }
}

/** The requests that are answered 401. */
export type Refusal = 'expired' | 'forged' | 'garbage' | 'no header'

/** The part of a realm that is kept between runs. */
interface Kept {
  port: number
  kid: string
  privateJwk: JsonWebKey
  exp: number
  distinct: number
}

export interface Realm extends Kept {
  issuer: string
  path: string
  publicJwk: JsonWebKey
  jwks: { keys: JsonWebKey[] }
  /** The user of the first token. */
  username: string
  key: KeyObject
}

/** A realm of an earlier run whose port is free, else a new one: two runs at once have a realm each. */
export async function openRealm (): Promise<Realm> {
  mkdirSync(cacheFile(''), { recursive: true })
  for (const port of readdirSync(cacheFile('')).filter((name) => /^\d+$/.test(name))) {
    const kept = JSON.parse(readFileSync(cacheFile(`${port}/realm.json`), 'utf8')) as Kept
    if (!await portIsFree(kept.port)) continue
    if (kept.exp > now() + DAY) return complete(kept)
    rmSync(cacheFile(port), { recursive: true })
  }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kept: Kept = { port: await freePort(), kid: randomUUID(), privateJwk: privateKey.export({ format: 'jwk' }), exp: now() + 30 * DAY, distinct: 0 }
  save(kept)
  return complete(kept)
}

/** Requests with so many distinct tokens; the first one is the hot token. */
export async function requestsOf (realm: Realm, count: number): Promise<Requests> {
  const file = cacheFile(`${realm.port}/distinct.bin`)
  const size = Buffer.byteLength(requestOf(await tokenOf(realm, 0)))
  const wanted = count <= 1000 ? 1000 : DISTINCT
  if (!existsSync(file) || realm.distinct < wanted) {
    console.log(`Making ${wanted} tokens, once…`)
    await writeRequests(file, size, wanted, (at) => tokenOf(realm, at))
    realm.distinct = wanted
    save(realm)
  }
  return { file, size, count }
}

/** Requests of each kind that is refused; there are 1,000 distinct forged tokens. */
export async function refusedRequests (realm: Realm): Promise<Record<Refusal, Requests>> {
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const expired = await tokenOf(realm, 0, { exp: now() - 3600 })
  const forged = await Promise.all(Array.from({ length: 1000 }, (_, number) => tokenOf(realm, number, {}, stranger)))
  const write = async (name: string, tokens: ReadonlyArray<string | undefined>): Promise<Requests> => {
    const file = cacheFile(`${realm.port}/${name}.bin`)
    const size = Buffer.byteLength(requestOf(tokens[0]))
    await writeRequests(file, size, tokens.length, async (at) => tokens[at])
    return { file, size, count: tokens.length }
  }
  return {
    expired: await write('expired', [expired]),
    forged: await write('forged', forged),
    garbage: await write('garbage', ['x.y.z']),
    'no header': await write('no-header', [undefined])
  }
}

/** A token as Keycloak 26 writes it; `claims` are merged over its own. */
export async function tokenOf (realm: Realm, number: number, claims: object = {}, key = realm.key, kid = realm.kid): Promise<string> {
  const input = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part({ ...claimsOf(realm, number), ...claims })}`
  return `${input}.${(await signAsync('sha256', Buffer.from(input), key)).toString('base64url')}`
}

/** Tokens that every contender must refuse, by their fault. */
export async function badTokens (realm: Realm): Promise<Record<string, string>> {
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const aud = ['another', 'account']
  return {
    forged: await tokenOf(realm, 0, {}, stranger),
    'for another API': await tokenOf(realm, 0, { aud }),
    'without the role': await tokenOf(realm, 0, { resource_access: { account: { roles: ['view-profile'] } } })
  }
}

/** A free port below the range of outgoing connections. */
async function freePort (): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    if (await portIsFree(port)) return port
  }
}

/** The same bytes for every contender. */
export function requestWith (authorization: string | undefined, more: Readonly<Record<string, string>> = {}): string {
  const headers = { Host: HOST, Accept: 'application/json', ...authorization !== undefined && { Authorization: authorization }, ...more }
  return `GET /profile HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

function requestOf (token: string | undefined): string {
  return requestWith(token === undefined ? undefined : `Bearer ${token}`)
}

async function writeRequests (file: string, size: number, count: number, token: (at: number) => Promise<string | undefined>): Promise<void> {
  const out = createWriteStream(`${file}.part`)
  // In batches, because each signature takes a thread of the pool.
  for (let at = 0; at < count; at += 100) {
    const batch = await Promise.all(Array.from({ length: Math.min(100, count - at) }, (_, offset) => token(at + offset)))
    const text = batch.map(requestOf)
    if (text.some((each) => each.length !== size)) throw new Error('the requests differ in length')
    if (!out.write(text.join(''))) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
  renameSync(`${file}.part`, file)
}

function complete (kept: Kept): Realm {
  const key = createPrivateKey({ key: kept.privateJwk, format: 'jwk' })
  const publicJwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid: kept.kid, alg: 'RS256', use: 'sig' }
  return { ...kept, key, publicJwk, jwks: { keys: [publicJwk] }, path: PATH, issuer: `http://127.0.0.1:${kept.port}${PATH}`, username: usernameOf(0) }
}

function save ({ port, kid, privateJwk, exp, distinct }: Kept): void {
  mkdirSync(cacheFile(String(port)), { recursive: true })
  writeFileSync(cacheFile(`${port}/realm.json`), JSON.stringify({ port, kid, privateJwk, exp, distinct }))
}

async function portIsFree (port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

function part (value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function now (): number {
  return Math.floor(Date.now() / 1000)
}

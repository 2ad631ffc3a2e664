// What the fuzz makes up: JSON, changes of JSON, mutations of tokens, answers of Keycloak.
/* c8 ignore start: which lines a random run reaches differs from run to run */
import fc from 'fast-check'
import { by, compact, decode, encode, hmac, type Json, strangersKey } from '../support/vectors.js'

export const ROLE = 'view-profile'
export const CLIENT_SECRET = 'the-secret-of-the-client'
/** In whatever the realm answers, and never in what a client or a log gets. */
export const MARK = 'WORDS-OF-KEYCLOAK'

/** JSON of any shape, with names and texts that have been somebody's downfall. */
const word = fc.constantFrom('', 'api', 'Bearer', ROLE, '__proto__', 'constructor', 'toString', 'none', 'HS256', 'RS256', '\u0000', '\ud800', '\u202e', '*', 'true', '0', 'null')
export const json: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) }, { weight: 2, arbitrary: word }, fc.array(word, { maxLength: 3 }), fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
  fc.double({ noNaN: true }), fc.constantFrom(0, -1, 1, true, false, null, 2 ** 53, 1.7e308, -1.7e308, 5e-324)
)

/** Members of an object to set, or to take away. */
export function changes (names: readonly string[], values: fc.Arbitrary<unknown>): fc.Arbitrary<Array<[string, unknown]>> {
  return fc.array(fc.tuple(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...names) }, fc.string()), fc.oneof({ weight: 4, arbitrary: values }, fc.constant(undefined))), { maxLength: 3 })
}

/** A copy with changes, as JSON would carry it: `__proto__` is a member like any other. */
export function changed (object: Json, by: ReadonlyArray<[string, unknown]>): Json {
  const copy = new Map([...Object.entries(object), ...by])
  const members = [...copy].filter(([, value]) => value !== undefined).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return JSON.parse(`{${members.join()}}`)
}

/** Changes of a text that is no longer a token then, or another one. */
export function mutations (tokens: readonly string[]): fc.Arbitrary<(token: string) => string> {
  const position = fc.nat(3000)
  const at = (text: string, where: number) => where % (text.length + 1)
  const splitting = (change: (parts: string[]) => string[]) => (token: string) => change(token.split('.')).join('.')
  const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.base64String({ maxLength: 16 }), fc.constantFrom('.', '..', '=', '==', ' ', '\t', '\n', '\0', '%2e', '\u200b', '\ufeff', 'AAAA', 'e30', '"', '{', ','))
  const objects = fc.tuple(fc.nat(1), fc.constantFrom('alg', 'kid', 'typ', 'crit', 'jwk', 'exp', 'iss', 'aud', 'sub', 'preferred_username', 'resource_access'), json)
  return fc.oneof(
    fc.tuple(position, fc.nat(15)).map(([where, bit]) => (token: string) => token.slice(0, at(token, where)) + String.fromCharCode((token.charCodeAt(at(token, where)) || 0) ^ (1 << bit)) + token.slice(at(token, where) + 1)),
    fc.tuple(fc.nat(2), position, fc.nat(7)).map(([part, where, bit]) => splitting((all) => all.map((text, index) => {
      const bytes = Buffer.from(text, 'base64url')
      if (index === part && bytes.length > 0) bytes[where % bytes.length]! ^= 1 << bit
      return index === part ? encode(bytes) : text
    }))),
    fc.tuple(fc.constantFrom(...tokens), position, position).map(([other, from, to]) => (token: string) => token.slice(0, at(token, from)) + other.slice(at(other, to))),
    fc.tuple(fc.constantFrom(...tokens), fc.array(fc.nat(5), { minLength: 1, maxLength: 5 })).map(([other, order]) => splitting((all) => order.map((index) => [...all, ...other.split('.')][index] ?? ''))),
    fc.tuple(position, texts).map(([where, text]) => (token: string) => token.slice(0, at(token, where)) + text + token.slice(at(token, where))),
    fc.tuple(position, position).map(([from, length]) => (token: string) => token.slice(0, at(token, from)) + token.slice(at(token, from) + length % 50)),
    objects.map(([part, name, value]) => splitting((all) => all.map((text, index) => index === part ? encode(JSON.stringify(changed(object(text), [[name, value]]))) : text))),
    objects.map(([part, name, value]) => splitting((all) => all.map((text, index) => index === part ? encode(`{${JSON.stringify(name)}:${JSON.stringify(value)},${JSON.stringify(object(text)).slice(1)}`) : text))),
    fc.tuple(fc.nat(2), fc.nat(9)).map(([part, kind]) => splitting((all) => all.map((text, index) => index === part ? reencoded(text, kind) : text))),
    fc.tuple(fc.constantFrom('none', 'HS256', 'HS384', 'HS512', 'RS256'), fc.constantFrom('', 'secret', CLIENT_SECRET)).map(([alg, secret]) => (token: string) => {
      const [header = '', payload = ''] = token.split('.')
      return compact({ ...object(header), alg }, object(payload), alg === 'none' ? () => Buffer.alloc(0) : alg === 'RS256' ? by('RS256', strangersKey()) : hmac(alg, secret))
    })
  )
}

/** The JSON object of a part, or none. */
function object (text: string): Json {
  try {
    const value: unknown = decode(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  } catch {
    return {}
  }
}

/** Another text that a lenient reader would read the same. */
function reencoded (text: string, kind: number): string {
  const bytes = Buffer.from(text, 'base64url')
  const forms = [
    () => bytes.toString('base64'), () => `${text}=`, () => `${text}A`, () => text.toLowerCase(), () => encodeURIComponent(`${text}+`), () => bytes.toString('hex'), () => encode(text),
    () => encode(JSON.stringify(object(text), null, 1)), () => encode(JSON.stringify(Object.fromEntries(Object.entries(object(text)).reverse()))), () => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1)
  ]
  return forms[kind]!()
}

/** What a server sends in place of what it should. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array
}

/** Mostly a good transport of some JSON, now and then a bad one. */
export function answers (document: fc.Arbitrary<unknown>): fc.Arbitrary<Answer> {
  const text = fc.tuple(document, fc.oneof({ weight: 10, arbitrary: fc.constant(0) }, fc.nat(5)), fc.nat(2000)).map(([value, kind, where]) => {
    const whole = JSON.stringify(value)
    return [whole, JSON.stringify(value, null, 2), whole.slice(0, where), `\ufeff${whole}`, `${whole}${whole}`, whole.replaceAll('"', "'")][kind]!
  })
  return fc.record({
    body: fc.oneof<Array<fc.WeightedArbitrary<string | Uint8Array>>>({ weight: 12, arbitrary: text }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) }),
    status: fc.oneof({ weight: 12, arbitrary: fc.constant(200) }, fc.integer({ min: 200, max: 599 })),
    headers: fc.oneof({ weight: 12, arbitrary: fc.constant({}) }, fc.constantFrom<Record<string, string>>(
      { 'content-encoding': 'gzip' }, { 'content-encoding': 'br' }, { 'content-type': 'text/html' }, { 'content-type': 'application/jwt' }, { location: 'http://127.0.0.1:1/' }, { 'transfer-encoding': 'chunked' }, { 'content-length': '3' }, { 'content-length': '100000' }
    ))
  })
}

/** Are the bytes of the body those of a connection that ends where it said? */
export const cut = ({ headers }: Answer) => headers['content-length'] !== undefined

/** The JSON object that the body is, where the rest of the answer says that it may be believed. */
export function documentOf ({ status, headers, body }: Answer): Json | undefined {
  if (status !== 200 || headers['content-encoding'] !== undefined) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(body as string).toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

import type { FastifyRequest } from 'fastify'
import type { ExchangeOptions, ServiceTokenOptions } from '../../types/outbound.js'
import type { UndiciDispatcher } from '../../types/options.js'
import { dispatcherFault, isDispatcher } from '../options/dispatcher.js'
import { isLoopbackHost } from '../util/loopback.js'
import { plainCopy } from '../util/members.js'
import { isObject, type JsonObject } from '../util/strict-json.js'
import { exchangeOptions, serviceTokenOptions } from './service-options.js'

/** The token that a dispatcher adds. */
type WantedToken =
  | { as: 'service' } & ServiceTokenOptions
  | { as: 'caller', request: FastifyRequest }
  | { as: 'exchange', request: FastifyRequest } & ExchangeOptions

interface CheckedDispatcherOptions {
  origins: ReadonlySet<string>
  base: (() => UndiciDispatcher) | undefined
  wanted: WantedToken
}

const METHOD = 'dispatcher()'
const COMMON = ['to', 'as', 'allowHttp', 'dispatcher']
const FORMS = ['service', 'caller', 'exchange']

/**
 * The options of `dispatcher()`.
 * @throws {TypeError} with one sentence
 */
export function dispatcherOptions (given: unknown): CheckedDispatcherOptions {
  if (!isObject(given)) throw new TypeError(`${METHOD} takes an object such as { to: ["https://orders.example.com"], as: "service" }`)
  const { to, as, allowHttp, dispatcher, ...others } = plainCopy(given, [...COMMON, 'request', 'audience', 'scope', 'issuer'])
  if (!FORMS.includes(as as string)) throw new TypeError(`${METHOD} needs as: "service", "caller" or "exchange"`)
  if (allowHttp !== undefined && typeof allowHttp !== 'boolean') throw new TypeError(`${METHOD} needs allowHttp as true or false`)
  return { origins: originsOf(to, allowHttp === true), base: baseOf(dispatcher), wanted: wantedToken(as as WantedToken['as'], others) }
}

function wantedToken (as: WantedToken['as'], { request, ...others }: JsonObject): WantedToken {
  if (as === 'service') {
    if (request !== undefined) throw new TypeError(`${METHOD} takes no request with as: "service", whose token is that of the API itself`)
    return { as, ...serviceTokenOptions(others, METHOD) }
  }
  if (!isObject(request)) throw new TypeError(`${METHOD} needs the request whose caller it is with as: "${as}"`)
  const caller = request as unknown as FastifyRequest
  if (as === 'exchange') return { as, request: caller, ...exchangeOptions(others, METHOD) }
  if (Object.values(others).some((value) => value !== undefined)) throw new TypeError(`${METHOD} takes to and request with as: "caller", and nothing else about the token`)
  return { as, request: caller }
}

function originsOf (to: unknown, allowHttp: boolean): ReadonlySet<string> {
  if (!Array.isArray(to) || to.length === 0) throw new TypeError(`${METHOD} needs to as an array of origins, such as ["https://orders.example.com"]`)
  return new Set(to.map((entry: unknown, at) => originOf(entry, `to[${at}]`, allowHttp)))
}

function originOf (entry: unknown, name: string, allowHttp: boolean): string {
  const isText = typeof entry === 'string' && URL.canParse(entry)
  const url = isText ? new URL(entry) : undefined
  // A slash at its end is no path.
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`) {
    throw new TypeError(`${METHOD} needs ${name} as an origin without user name, path and query, such as "https://orders.example.com"`)
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopbackHost(url.href)) {
    throw new TypeError(`${METHOD} needs ${name} with https, since everybody on the way can read a token that is sent over http; write allowHttp: true if a mesh encrypts it`)
  }
  return url.origin
}

function baseOf (dispatcher: unknown): (() => UndiciDispatcher) | undefined {
  if (dispatcher === undefined) return undefined
  if (!isDispatcher(dispatcher) || dispatcherFault(dispatcher as UndiciDispatcher) !== undefined) throw new TypeError(`${METHOD} needs dispatcher as one of undici 7 or 8, such as new ProxyAgent(url)`)
  return () => dispatcher as UndiciDispatcher
}

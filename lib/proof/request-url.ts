import type { FastifyRequest } from 'fastify'
import type { DpopOptions } from '../../types/dpop.js'
import { isBase } from '../options/dpop.js'
import { valuesOf } from '../util/raw-headers.js'

/** A request target that is a whole URL, which a client sends to a proxy (RFC 9112 section 3.2.2). */
const ABSOLUTE = /^https?:\/\/[^/?#]*/i

/**
 * @param base the option `dpop.url`
 * @returns a function that gives the URL of a request as its client sees it
 */
export function createRequestUrl (base: DpopOptions['url']): (request: FastifyRequest) => string {
  if (base === undefined) return (request) => `${request.protocol}://${request.host}${targetOf(request)}`
  if (typeof base === 'string') return (request) => withoutSlash(base) + targetOf(request)
  return (request) => {
    const url: unknown = base(request)
    if (typeof url !== 'string' || !isBase(url)) throw new TypeError('the function dpop.url must return the URL of this API as clients see it, such as https://api.example.com, without query, fragment, user name and dot segments')
    return withoutSlash(url) + targetOf(request)
  }
}

/** A path that is none: no proof fits it. */
const NO_PATH = '/%'

/**
 * Path and query, as they came. A whole URL may have no path (`http://host?query`). If a slash follows then, older routers take
 * the text from there on for the path, and nobody knows which path the proof would have to be for.
 */
function targetOf ({ originalUrl }: FastifyRequest): string {
  const target = originalUrl.replace(ABSOLUTE, '')
  if (target.startsWith('/')) return target
  return target.includes('/') ? NO_PATH : `/${target}`
}

function withoutSlash (base: string): string {
  return base.endsWith('/') ? base.slice(0, -1) : base
}

/**
 * The values of all DPoP headers of a request. Node joins them into one, so only the raw headers tell; a request that is not
 * Node's has none.
 */
export function proofsOf ({ headers, raw: { rawHeaders } }: FastifyRequest): string[] {
  if (rawHeaders !== undefined) return valuesOf(rawHeaders, 'dpop')
  return typeof headers.dpop === 'string' ? [headers.dpop] : []
}

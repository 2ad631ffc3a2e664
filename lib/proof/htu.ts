/** The longest `htu` that is read, in characters. */
const MAX_LENGTH = 8192

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

/** Scheme, authority and the rest up to the query or the fragment (RFC 3986 appendix B). */
const PARTS = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i

/** A host and a port. An address of IPv6 stands in brackets (RFC 3986 section 3.2.2). */
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^:@[\]]+)(?::(\d{0,5}))?$/i

const ENCODED = /%([0-9a-f]{2})/gi

/** Control characters, spaces, characters beyond ASCII, and a percent sign that encodes nothing (RFC 3986 section 2). */
const FOREIGN = /[^!-~]|%(?![0-9a-f]{2})/i

/** Characters that belong encoded into a URI, which browsers write as they are all the same. */
const UNENCODED = /["<>\\^`{|}]/g

const UNRESERVED = /[\w.~-]/

const DOT_SEGMENT = /\/\.\.?(?:\/|$)/

/**
 * The URI of a request without query and fragment, normalized (RFC 9449 section 4.3, RFC 3986 sections 6.2.2 and 6.2.3): scheme
 * and host in lower case, no default port, percent-encoding in upper case and only where it is needed, no dot segments. A slash
 * at the end counts.
 * @returns `undefined` for a text that is no http or https URI
 */
export function normalizedHtu (uri: string): string | undefined {
  return normalized(uri, withoutDotSegments)
}

/**
 * The same for the URL of a request. Dot segments are not removed, because routers do not remove them: `/admin/../public` is the
 * same URI as `/public`, but another route. Clients remove them before they send.
 * @returns `undefined` for a path with dot segments, too
 */
export function normalizedRequestUrl (url: string): string | undefined {
  return normalized(url, (path) => DOT_SEGMENT.test(path) ? undefined : path)
}

function normalized (uri: string, finish: (path: string) => string | undefined): string | undefined {
  if (uri.length > MAX_LENGTH) return undefined
  const parts = PARTS.exec(uri)
  if (parts === null) return undefined
  const scheme = parts[1]!.toLowerCase()
  const defaultPort = Object.hasOwn(DEFAULT_PORTS, scheme) ? DEFAULT_PORTS[scheme] : undefined
  const authority = AUTHORITY.exec(parts[2]!)
  if (defaultPort === undefined || authority === null || FOREIGN.test(parts[2]!) || FOREIGN.test(parts[3]!)) return undefined
  const host = decodedUnreserved(authority[1]!).toLowerCase()
  const port = (authority[2] ?? '').replace(/^0+(?=\d)/, '')
  const path = finish(decodedUnreserved(parts[3]!.replace(UNENCODED, encodeURIComponent)))
  if (path === undefined) return undefined
  return `${scheme}://${upperCaseEncoding(host)}${port === '' || port === defaultPort ? '' : `:${port}`}${path || '/'}`
}

/** Decodes what needs no encoding, and writes the rest in upper case (RFC 3986 sections 6.2.2.1 and 6.2.2.2). */
function decodedUnreserved (text: string): string {
  if (!text.includes('%')) return text
  return text.replace(ENCODED, (encoded, hex: string) => {
    const character = String.fromCharCode(parseInt(hex, 16))
    return UNRESERVED.test(character) ? character : encoded.toUpperCase()
  })
}

function upperCaseEncoding (text: string): string {
  return text.includes('%') ? text.replace(ENCODED, (encoded) => encoded.toUpperCase()) : text
}

/** RFC 3986 section 5.2.4, in linear time. */
function withoutDotSegments (path: string): string {
  if (!path.includes('/.')) return path
  const kept: string[] = []
  const segments = path.split('/')
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1
    if (segment === '..') {
      if (kept.length > 1) kept.pop()
    } else if (segment !== '.') {
      kept.push(segment)
      continue
    }
    if (isLast) kept.push('')
  }
  return kept.join('/')
}

import type { UnavailableError } from '../errors.js'
import type { Settings } from '../options/options.js'
import { addressOption, type Finding } from './finding.js'

/** What a sentence about an address needs to know. */
interface Where {
  /** The option that has the address. */
  option: string
  url: URL
  /** Whether undici's connections are ours, and with them their TLS. */
  own: boolean
  timeout: number
}

interface Trouble {
  /** Matches the reason of the failure: a code of Node's, OpenSSL's or undici's, or a phrase of lib/keycloak/client.ts. */
  of: RegExp
  check: 'unreachable' | 'tls' | 'not_keycloak'
  sentence: (where: Where) => string
}

/** A table: the first that matches is it. */
const TROUBLES: readonly Trouble[] = [
  {
    of: /^ENOTFOUND$/,
    check: 'unreachable',
    sentence: ({ option, url }) => `the host name ${url.hostname} is unknown to DNS: correct it in ${option}${inside(option)}`
  },
  {
    of: /^EAI_/,
    check: 'unreachable',
    sentence: ({ option, url }) => `DNS gave no answer for the host name ${url.hostname}: correct it in ${option}, or this machine's name servers`
  },
  {
    of: /^ECONNREFUSED$/,
    check: 'unreachable',
    sentence: ({ option, url }) => `nothing listens on port ${portOf(url)} of ${url.hostname}: start Keycloak, or correct the port in ${option}${container(option, url)}`
  },
  {
    of: /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/,
    check: 'unreachable',
    sentence: ({ option, url }) => `no way leads to ${url.hostname}: correct the host in ${option}${inside(option)}`
  },
  {
    of: /^no answer within|TIMEDOUT$|_TIMEOUT$/,
    check: 'unreachable',
    sentence: ({ option, url, timeout }) => `no answer came within ${timeout} ms: a wrong host or a firewall on the way (${option} leads to port ${portOf(url)} of ${url.hostname}), or a Keycloak that needs a longer jwks.timeout`
  },
  {
    of: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    check: 'tls',
    sentence: ({ option, url }) => `its certificate is not for ${url.hostname}: write the host name that the certificate has into ${option}`
  },
  {
    of: /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    check: 'tls',
    sentence: () => 'its certificate is not valid today: renew it, or set the clock of this machine'
  },
  {
    of: /SELF_SIGNED|^UNABLE_TO_|^CERT_|^INVALID_CA$/,
    check: 'tls',
    sentence: ({ own }) => `its certificate is of no authority that Node trusts: give the PEM of that authority by ${own ? 'the option ca' : 'connect.ca of your dispatcher'}`
  },
  {
    of: /^ERR_SSL_.*(ALERT|HANDSHAKE)/,
    check: 'tls',
    sentence: () => 'it refused our TLS handshake: a client certificate, should it want one, goes into a dispatcher of yours'
  },
  {
    of: /^(ERR_SSL_|EPROTO)/,
    check: 'tls',
    sentence: ({ option, url }) => `port ${portOf(url)} does not speak TLS: write http:// in ${option}, or the port that does`
  },
  {
    of: /^(UND_ERR_SOCKET|ECONNRESET|EPIPE|HPE_\w+|the call failed)$/,
    check: 'unreachable',
    sentence: ({ option, url }) => url.protocol === 'https:'
      ? `the connection is cut: port ${portOf(url)} may not speak TLS, or a proxy on the way has nothing behind it; correct ${option}`
      : `what answers at port ${portOf(url)} is no HTTP: write https:// in ${option} if it speaks TLS, else correct the port`
  },
  {
    of: /^a body|^an encoded body/,
    check: 'not_keycloak',
    sentence: ({ option }) => `what answers is not Keycloak: correct ${option}, whose path ends in /realms/ and the realm's name`
  }
]

/** The address that was tried, the reason, and the setting that mends it. */
export function unreachable (error: unknown, settings: Settings): Finding {
  const { reason } = error as UnavailableError
  const trouble = TROUBLES.find(({ of }) => of.test(reason))
  const check = trouble?.check ?? 'unreachable'
  const why = trouble?.sentence(whereOf(settings)) ?? `the call failed: correct ${addressOption(settings)}, or what is on the way`
  return {
    check,
    sentence: `Keycloak cannot be reached at ${settings.baseUrl} (${reason}): ${why}`,
    reason,
    certain: true,
    away: check === 'unreachable'
  }
}

function whereOf (settings: Settings): Where {
  const { baseUrl, dispatcher, jwks } = settings
  return { option: addressOption(settings), url: new URL(baseUrl), own: dispatcher === undefined, timeout: jwks.timeout }
}

function portOf ({ port, protocol }: URL): string {
  return port !== '' ? port : protocol === 'https:' ? '443' : '80'
}

/** Where only the public address is known. */
function inside (option: string): string {
  return option === 'issuer' ? ', or give an address that this machine knows by serverUrl' : ''
}

function container (option: string, { hostname }: URL): string {
  if (!/^(localhost|127\..*|\[::1\])$/.test(hostname)) return ''
  return option === 'issuer'
    ? '; in a container localhost is the container itself, so give Keycloak\'s address by serverUrl'
    : '; in a container localhost is the container itself'
}

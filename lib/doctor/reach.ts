import type { UnavailableError } from '../errors.js'
import type { RealmSettings } from '../options/options.js'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import { addressOption, type Finding } from './finding.js'

/** The address that was tried, as the sentences name it. */
interface Where {
  /** The option that has the address. */
  option: string
  url: URL
  /** Are the connections made by the package, with its option ca? */
  own: boolean
  /** Milliseconds. */
  timeout: number
  /** Do the connections have a client certificate, by the option? */
  hasCertificate: boolean
}

interface Trouble {
  check: 'unreachable' | 'tls' | 'not_keycloak'
  sentence: (where: Where) => string
}

const NO_ANSWER: Trouble = {
  check: 'unreachable',
  sentence: ({ option, url, timeout }) => `no answer came within ${timeout} ms: the host is wrong, a firewall is on the way (${option} leads to port ${portOf(url)} of ${url.hostname}), or Keycloak needs a longer jwks.timeout`
}

const OUT_OF_DATE: Trouble = {
  check: 'tls',
  sentence: () => 'its certificate is not valid today: renew it, or set the clock of this machine'
}

const CERTIFICATE_REFUSED = 'Keycloak may not trust clientCertificate: put the certificate of its authority into the trust store of Keycloak (https-trust-store-file), and renew the client\'s if it has expired'

const CUT: Trouble = {
  check: 'unreachable',
  sentence: ({ option, url, hasCertificate }) => hasCertificate
    ? `the connection is cut: ${CERTIFICATE_REFUSED}; or port ${portOf(url)} does not speak TLS, or a proxy on the way has no server to send to`
    : url.protocol === 'https:'
      ? `the connection is cut: port ${portOf(url)} may not speak TLS, or a proxy on the way has no server to send to; correct ${option}`
      : `the server at port ${portOf(url)} does not speak HTTP: write https:// in ${option} if it speaks TLS, else correct the port`
}

const STRANGER: Trouble = {
  check: 'not_keycloak',
  sentence: ({ option }) => `the server there is not Keycloak: correct ${option}, whose path ends in /realms/ and the realm's name`
}

const OTHER: Trouble = {
  check: 'unreachable',
  sentence: ({ option }) => `the call failed: correct ${option}, or the proxies on the way`
}

/** The failures of a call that tell which part of the address, or which setting, is wrong. */
const TROUBLES: Readonly<Partial<Record<KeycloakReasonCode, Trouble>>> = {
  host_unknown: {
    check: 'unreachable',
    sentence: ({ option, url }) => `the host name ${url.hostname} is unknown to DNS: correct it in ${option}${inside(option)}`
  },
  dns_failed: {
    check: 'unreachable',
    sentence: ({ option, url }) => `DNS gave no answer for the host name ${url.hostname}: correct it in ${option}, or this machine's name servers`
  },
  connection_refused: {
    check: 'unreachable',
    sentence: ({ option, url }) => `nothing listens on port ${portOf(url)} of ${url.hostname}: start Keycloak, or correct the port in ${option}${container(option, url)}`
  },
  host_unreachable: {
    check: 'unreachable',
    sentence: ({ option, url }) => `no network route leads to ${url.hostname}: correct the host in ${option}${inside(option)}`
  },
  no_answer: NO_ANSWER,
  connection_timeout: NO_ANSWER,
  certificate_other_host: {
    check: 'tls',
    sentence: ({ option, url }) => `its certificate is not for ${url.hostname}: write the host name that the certificate has into ${option}`
  },
  certificate_expired: OUT_OF_DATE,
  certificate_not_yet_valid: OUT_OF_DATE,
  certificate_untrusted: {
    check: 'tls',
    sentence: ({ own }) => `its certificate is from no authority that Node trusts: give the PEM of that authority by ${own ? 'the option ca' : 'connect.ca of your dispatcher'}`
  },
  tls_refused: {
    check: 'tls',
    sentence: ({ hasCertificate }) => `it refused our TLS handshake: ${hasCertificate ? CERTIFICATE_REFUSED : 'if it wants a client certificate, give that to a dispatcher of yours'}`
  },
  tls_missing: {
    check: 'tls',
    sentence: ({ option, url }) => `port ${portOf(url)} does not speak TLS: write http:// in ${option}, or the port that does`
  },
  client_certificate_missing: { check: 'tls', sentence: () => 'correct that function' },
  connection_lost: CUT,
  http_malformed: CUT,
  call_failed: CUT,
  body_too_long: STRANGER,
  body_encoded: STRANGER
}

/** The finding that Keycloak cannot be reached: address, reason, and the setting that corrects it. */
export function unreachable (error: unknown, settings: RealmSettings): Finding {
  const { reason, reasonCode } = error as UnavailableError
  const { check, sentence } = TROUBLES[reasonCode] ?? OTHER
  return {
    check,
    sentence: `Keycloak cannot be reached at ${settings.baseUrl} (${reason}): ${sentence(whereOf(settings))}`,
    reason,
    reasonCode,
    certain: true,
    away: check === 'unreachable'
  }
}

function whereOf (settings: RealmSettings): Where {
  const { baseUrl, dispatcher, jwks, clientCertificate } = settings
  return { option: addressOption(settings), url: new URL(baseUrl), own: dispatcher === undefined, timeout: jwks.timeout, hasCertificate: clientCertificate !== undefined }
}

function portOf ({ port, protocol }: URL): string {
  return port !== '' ? port : protocol === 'https:' ? '443' : '80'
}

/** The advice to give a private address, for options that have only the public one. */
function inside (option: string): string {
  return option === 'issuer' ? ', or give an address that this machine knows by serverUrl' : ''
}

function container (option: string, { hostname }: URL): string {
  if (!/^(localhost|127\..*|\[::1\])$/.test(hostname)) return ''
  return option === 'issuer'
    ? '; in a container localhost is the container itself, so give Keycloak\'s address by serverUrl'
    : '; in a container localhost is the container itself'
}

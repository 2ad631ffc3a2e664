import type { Entries } from './entry.js'

const CAUSE = '{cause}'

/** Failures of the network, by the codes of Node, OpenSSL and undici: `causes` are whole codes, or beginnings that end in `*`. */
export const NETWORK = {
  host_unknown: { sentence: CAUSE, causes: ['ENOTFOUND'], advice: 'correct the host name in issuer or serverUrl' },
  dns_failed: { sentence: CAUSE, causes: ['EAI_*'], advice: "correct the host name, or this machine's name servers" },
  connection_refused: { sentence: CAUSE, causes: ['ECONNREFUSED'], advice: 'start Keycloak, or correct the port; in a container localhost is the container' },
  host_unreachable: { sentence: CAUSE, causes: ['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'], advice: 'correct the host, or open the way to it' },
  connection_timeout: {
    sentence: CAUSE,
    causes: ['ETIMEDOUT', 'ESOCKETTIMEDOUT', 'ERR_SOCKET_CONNECTION_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
    advice: 'look for a wrong host, or a firewall on the way'
  },
  connection_lost: { sentence: CAUSE, causes: ['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNABORTED', 'EPIPE'], advice: 'look at the proxy before Keycloak, and check whether the port speaks TLS' },
  http_malformed: { sentence: CAUSE, causes: ['HPE_*'], advice: 'correct the port: the server there does not speak HTTP' },
  certificate_other_host: { sentence: CAUSE, causes: ['ERR_TLS_CERT_ALTNAME_INVALID'], advice: 'write the host name that the certificate has into issuer or serverUrl' },
  certificate_expired: { sentence: CAUSE, causes: ['CERT_HAS_EXPIRED'], advice: "renew the certificate of Keycloak, or set this machine's clock" },
  certificate_not_yet_valid: { sentence: CAUSE, causes: ['CERT_NOT_YET_VALID'], advice: "set this machine's clock" },
  certificate_untrusted: {
    sentence: CAUSE,
    causes: ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'INVALID_CA', 'UNABLE_TO_*', 'CERT_*'],
    advice: 'give the PEM of its authority by the option ca (never verifyCertificate: false)'
  },
  tls_refused: {
    sentence: CAUSE,
    causes: ['ERR_SSL_TLSV1_*', 'ERR_SSL_TLSV13_*', 'ERR_SSL_SSLV3_ALERT_*', 'ERR_SSL_SSL/TLS_ALERT_*', 'ERR_SSL_SSL_HANDSHAKE_FAILURE', 'ERR_SSL_HANDSHAKE_FAILURE_ON_CLIENT_HELLO'],
    advice: 'give a client certificate by a dispatcher, if Keycloak or its proxy wants one'
  },
  tls_missing: { sentence: CAUSE, causes: ['ERR_SSL_*', 'EPROTO'], advice: 'write http:// in issuer or serverUrl, or the port that speaks TLS' },
  network_failed: { sentence: CAUSE, causes: ['*'], advice: 'look at the address, and at the proxies on the way' }
} as const satisfies Entries

const CODES = Object.keys(NETWORK) as Array<keyof typeof NETWORK>

/** The first reason that has the cause: in the table, whole codes come before the beginnings that match them too. */
export function networkReason (cause: string): keyof typeof NETWORK {
  return CODES.find((code) => NETWORK[code].causes.some((each) => matches(cause, each)))!
}

function matches (cause: string, pattern: string): boolean {
  return pattern.endsWith('*') ? cause.startsWith(pattern.slice(0, -1)) : cause === pattern
}

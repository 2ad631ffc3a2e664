import { isIP } from 'node:net'

/** Is this the address of a socket that only this machine can reach? */
export function isLoopbackAddress (address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}

/** Is the host of a URL this machine (RFC 6761 section 6.3)? */
export function isLoopbackHost (url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname.endsWith('.localhost') || isLoopbackIp(hostname.replace(/^\[|\]$/g, ''))
}

/** A name such as 127.example.com is a host elsewhere. */
function isLoopbackIp (host: string): boolean {
  return isIP(host) !== 0 && isLoopbackAddress(host)
}

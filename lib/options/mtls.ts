import { BlockList, isIP } from 'node:net'
import type { MtlsOptions } from '../../types/mtls.js'
import { checked, group, list, oneOf, optional, type OutputOf } from './schemas.js'
import { aFunction, flag, foundAs, orTrue, text } from './values.js'

/** The headers in which proxies hand on certificates. */
export const CERTIFICATE_HEADERS = ['client-cert', 'x-forwarded-client-cert', 'ssl-client-cert'] as const satisfies ReadonlyArray<NonNullable<MtlsOptions['header']>>

const MTLS = 'true, or an object with header, proxies, required and certificate'
const HEADER = `one of ${CERTIFICATE_HEADERS.join(', ')}`
const PROXIES = 'an array of the addresses or networks of proxies, such as ["10.0.0.0/8"]'
const PROXY = 'the address or the network of a proxy, such as "10.0.0.1" or "10.0.0.0/8", or "unix" for a Unix socket'

const proxy = checked(text(PROXY), PROXY, (value) => foundAs(proxyFault(value)))

/** The first and the last address of each family: only a network of all has both. */
const ENDS = [
  ['0.0.0.0', '255.255.255.255', 'ipv4'],
  ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ipv6']
] as const

export const mtlsGroup = group({
  header: optional(oneOf(CERTIFICATE_HEADERS, HEADER)),
  proxies: optional(list(proxy, PROXIES, 1)),
  required: optional(flag, false),
  certificate: optional(aFunction('a function (request) => the certificate in DER or PEM, or undefined'))
}, MTLS)

/** The option `mtls` after the checks. */
export type MtlsSettings = OutputOf<typeof mtlsGroup>

/** The option: `true` is all defaults. */
export const mtls = optional(orTrue(mtlsGroup, MTLS))

/** The fault of members that are valid alone, but not together. */
export function mtlsFault ({ header, proxies, certificate }: MtlsSettings): string | undefined {
  if (header !== undefined && proxies === undefined) return 'option "mtls.proxies" must name the proxies whose header counts when mtls.header is given, since anybody else can write that header too'
  if (proxies !== undefined && header === undefined) return 'option "mtls.header" must name the header of the proxies when mtls.proxies is given'
  if (certificate !== undefined && header !== undefined) return 'option "mtls.certificate" goes without mtls.header; keep the one you mean'
  return undefined
}

/** Puts an address or a network into a list; `unix` is none. */
export function addProxy (list: BlockList, proxy: string): void {
  const [address, bits] = proxy.split('/') as [string, string?]
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (bits === undefined) list.addAddress(address, family)
  else list.addSubnet(address, Number(bits), family)
}

/** The words for a text that names no proxy, or everybody; `undefined` if it names one. */
function proxyFault (value: string): string | undefined {
  if (value === 'unix') return undefined
  const [address, bits, ...rest] = value.split('/')
  const family = isIP(address!)
  if (family === 0 || rest.length > 0) return 'another text: write the address in digits, not the name of a host'
  if (bits === undefined) return undefined
  const most = family === 4 ? 32 : 128
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > most) return `a network whose prefix length is no whole number from 1 to ${most}`
  return isEverybody(value) ? 'a network of all addresses: everybody could write the header then' : undefined
}

/** Does a network have all addresses of IPv4 or IPv6? That of IPv4 can be written as IPv6, too (RFC 4291 section 2.5.5.2). */
function isEverybody (network: string): boolean {
  const list = new BlockList()
  addProxy(list, network)
  return ENDS.some(([first, last, family]) => list.check(first, family) && list.check(last, family))
}

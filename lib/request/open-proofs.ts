import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { StartLog } from '../diagnostics/start-log.js'
import type { Closing } from '../keycloak/closing.js'
import type { PluginSettings } from '../options/options.js'
import type { ProofOfPossession } from './proof-of-possession.js'

type Settings = Pick<PluginSettings, 'dpop' | 'mtls'>

/** Nothing of it is loaded if tokens that are bound to a key are refused. */
export async function openProofs (fastify: FastifyInstance, settings: Settings, closing: Closing, log: StartLog): Promise<ProofOfPossession | undefined> {
  if (settings.dpop === undefined && settings.mtls === undefined) return undefined
  const { ProofOfPossession } = await import('./proof-of-possession.js')
  if (settings.dpop !== undefined && settings.dpop.url === undefined) warnOfUnknownUrl(fastify, log)
  return new ProofOfPossession(settings, { closing, log: fastify.log })
}

/** Behind a proxy the URL that clients see is another than that of the request, and then no proof fits (RFC 9449 section 4.3). */
function warnOfUnknownUrl (fastify: FastifyInstance, log: StartLog): void {
  if (trustsProxy(fastify)) return
  fastify.addHook('onListen', (done) => {
    if (!fastify.addresses().every((each) => typeof each === 'string' || isLoopback((each as AddressInfo).address))) {
      log.warn({ code: 'dpop_url_unknown' }, 'dpop.url is not set, and Fastify trusts no proxy: behind a proxy no DPoP proof will fit, because clients see another URL than this API. Set dpop.url to the URL that clients see, or trustProxy of Fastify')
    }
    done()
  })
}

/** Fastify keeps its options by a symbol alone: `initialConfig` does not have trustProxy. */
function trustsProxy (fastify: FastifyInstance): boolean {
  const holders: object[] = []
  for (let holder: object | null = fastify; holder !== null; holder = Object.getPrototypeOf(holder)) holders.push(holder)
  const name = holders.flatMap((holder) => Object.getOwnPropertySymbols(holder)).find(({ description }) => description === 'fastify.options')
  return Boolean((fastify as unknown as Record<symbol, { trustProxy?: unknown }>)[name!]?.trustProxy)
}

function isLoopback (address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}

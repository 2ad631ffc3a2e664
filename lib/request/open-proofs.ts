import type { AddressInfo } from 'node:net'
import { Server } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { StartLog } from '../diagnostics/start-log.js'
import type { PluginSettings } from '../options/options.js'
import { createRiskReport, type ReportRisk } from '../options/risks.js'
import type { SharedByRealms } from '../realm/shared.js'
import { isProduction } from '../util/environment.js'
import { isLoopbackAddress } from '../util/loopback.js'
import type { ProofOfPossession } from './proof-of-possession.js'

type Settings = Pick<PluginSettings, 'dpop' | 'mtls'>

/** Nothing of it is loaded if tokens that are bound to a key are refused. */
export async function openProofs (fastify: FastifyInstance, settings: Settings & Pick<PluginSettings, 'acceptRisks' | 'hasInstances'>, { closing, pool }: Pick<SharedByRealms, 'closing' | 'pool'>, log: StartLog): Promise<ProofOfPossession | undefined> {
  if (settings.dpop === undefined && settings.mtls === undefined) return undefined
  const { ProofOfPossession } = await import('./proof-of-possession.js')
  const report = createRiskReport(settings.acceptRisks, log)
  warnOfDpop(fastify, settings, report)
  warnOfMtls(fastify, settings, report)
  return new ProofOfPossession(settings, { closing, pool, log: fastify.log })
}

function warnOfDpop (fastify: FastifyInstance, { dpop, hasInstances }: Pick<PluginSettings, 'dpop' | 'hasInstances'>, report: ReportRisk): void {
  if (dpop === undefined) return
  if (dpop.url === undefined && !trustsProxy(fastify)) warnOfUnknownUrl(fastify, report)
  if (isProduction() && hasInstances && dpop.replay.store === undefined) {
    report('replay_store_local', 'revocation.store says that the API has several instances, and used DPoP proofs are remembered by each alone: a proof that one has taken is good at the others. Set dpop.replay.store, such as redisReplayStore({ client })')
  }
}

/**
 * Behind a proxy the URL that clients see is another than that of the request, and then no proof fits (RFC 9449 section 4.3). In
 * production there may be a proxy on the same machine, otherwise only for a server that listens beyond it.
 */
function warnOfUnknownUrl (fastify: FastifyInstance, report: ReportRisk): void {
  const warn = (): void => report('dpop_url_unknown', 'dpop.url is not set, and Fastify trusts no proxy: behind a proxy no DPoP proof will fit, because clients see another URL than this API. Set dpop.url to the URL that clients see, or trustProxy of Fastify')
  if (isProduction()) return warn()
  fastify.addHook('onListen', (done) => {
    if (!fastify.addresses().every((each) => typeof each === 'string' || isLoopbackAddress((each as AddressInfo).address))) warn()
    done()
  })
}

/** A server that takes calls by plain HTTP has no certificate of a client. `app.inject()` has neither, and causes no warning. */
function warnOfMtls (fastify: FastifyInstance, { mtls }: Settings, report: ReportRisk): void {
  if (mtls === undefined || mtls.header !== undefined || mtls.certificate !== undefined || fastify.server instanceof Server) return
  fastify.addHook('onListen', (done) => {
    report('mtls_without_tls', 'mtls takes the certificate of the connection, and this server speaks plain HTTP, which has none: every token that is bound to a certificate is refused. Start Fastify with https and requestCert: true; behind a proxy that ends TLS, set mtls.header and mtls.proxies')
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

import type { FastifyRequest } from 'fastify'
import type { DispatcherOptions, ExchangeOptions, ServiceCalls, ServiceDispatcher as PublicDispatcher, ServiceTokenOptions } from '../../types/outbound.js'
import { KeycloakError } from '../errors.js'
import type { Outbound } from '../outbound/outbound.js'
import type { ServiceConnections } from '../outbound/service-connections.js'
import { ServiceDispatcher } from '../outbound/service-dispatcher.js'
import { ServiceRequests } from '../outbound/service-requests.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import { type Realm, realmOf } from '../realm/realm.js'
import { AcceptedCaller } from './accepted-caller.js'
import { dispatcherOptions } from './dispatcher-options.js'
import { exchangeOptions, serviceTokenOptions } from './service-options.js'
import { ServiceTokens, tokensOfCaller } from './service-tokens.js'

type Directory = Pick<RealmDirectory, 'names' | 'all' | 'byIssuer' | 'isOpen'>

/** The members of `fastify.keycloak` for calls to other services. */
export function createServiceCalls ({ only }: Pick<Authority, 'only'>, directory: Directory, connections: ServiceConnections): ServiceCalls {
  const callerOf = (request: FastifyRequest): AcceptedCaller => new AcceptedCaller(request, directory)
  const service = ({ scope, issuer }: ServiceTokenOptions): ServiceTokens => new ServiceTokens({
    outbound: async () => outboundOf(only !== undefined && issuer === undefined ? only : await realmNamed(issuer, directory)),
    question: (outbound) => outbound.service(scope),
    caller: undefined
  })
  const exchange = (caller: AcceptedCaller, { audience, scope }: ExchangeOptions): ServiceTokens => new ServiceTokens({
    outbound: () => outboundOf(realmOf(caller.identity)),
    question: (outbound) => outbound.exchange(caller, audience, scope),
    caller
  })
  return {
    serviceToken: async (options?: ServiceTokenOptions) => service(serviceTokenOptions(options, 'serviceToken()')).get(),
    async exchange (request: FastifyRequest, options: ExchangeOptions) {
      const checked = exchangeOptions(options, 'exchange()')
      return exchange(callerOf(request), checked).get()
    },
    dispatcher (given: DispatcherOptions) {
      const { origins, base = connections.get, wanted } = dispatcherOptions(given)
      const tokens = tokensFor(wanted)
      return new ServiceDispatcher(new ServiceRequests({ origins, tokens, base }).dispatch) as PublicDispatcher
    }
  }

  function tokensFor (wanted: ReturnType<typeof dispatcherOptions>['wanted']) {
    if (wanted.as === 'service') return service(wanted)
    const caller = callerOf(wanted.request)
    return wanted.as === 'caller' ? tokensOfCaller(caller) : exchange(caller, wanted)
  }
}

async function outboundOf ({ outbound }: Realm): Promise<Outbound> {
  return outbound.loaded ?? outbound.load()
}

/** @throws {TypeError} if it is none of the realms */
async function realmNamed (issuer: string | undefined, directory: Directory): Promise<Realm> {
  const open = [...directory.all()]
  if (issuer === undefined) {
    if (open.length === 1 && directory.names !== undefined) return open[0]!
    throw new TypeError('serviceToken() needs the issuer with several issuers: give its name or its URL, such as { issuer: "acme" }')
  }
  const named = open.find((realm) => realm.name === issuer || realm.issuer === issuer)
  if (named !== undefined) return named
  try {
    return await directory.byIssuer(issuer)
  } catch (error) {
    if (error instanceof KeycloakError && error.code === 'token_not_valid') throw new TypeError('serviceToken() needs the issuer as one of the issuers has it: its name, or its URL as in iss')
    throw error
  }
}

import type { FastifyRequest } from 'fastify'
import type { ExchangeOptions, ServiceCalls, ServiceTokenOptions } from '../../types/outbound.js'
import { KeycloakError } from '../errors.js'
import type { Outbound } from '../outbound/outbound.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import { type Realm, realmOf } from '../realm/realm.js'
import { AcceptedCaller } from './accepted-caller.js'
import { RequestsGone } from './requests-gone.js'
import { exchangeOptions, serviceTokenOptions } from './service-options.js'

type Directory = Pick<RealmDirectory, 'names' | 'all' | 'byIssuer' | 'isOpen'>

/** The members of `fastify.keycloak` for calls to other services. */
export function createServiceCalls ({ only }: Pick<Authority, 'only'>, directory: Directory): ServiceCalls {
  const gone = new RequestsGone()
  return {
    serviceToken: (options?: ServiceTokenOptions) => withOwnErrors(async () => {
      const { scope, issuer } = serviceTokenOptions(options, 'serviceToken()')
      const outbound = await outboundOf(only !== undefined && issuer === undefined ? only : await realmNamed(issuer, directory))
      return outbound.get(outbound.service(scope), undefined)
    }),
    exchange: (request: FastifyRequest, options: ExchangeOptions) => withOwnErrors(async () => {
      const { audience, scope } = exchangeOptions(options, 'exchange()')
      const caller = new AcceptedCaller(request, directory, gone)
      caller.check()
      const outbound = await outboundOf(realmOf(caller.identity))
      const question = outbound.exchange(caller, audience, scope)
      const token = await caller.whileThere((waiting) => outbound.get(question, waiting))
      // It may have been logged out meanwhile.
      caller.check()
      return token
    })
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

/** The error of a refusal is new for each call, because several may share the old one, and because its stack shows the call of this program. */
async function withOwnErrors<Result> (call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    throw error instanceof KeycloakError ? new KeycloakError(error.code, () => error) : error
  }
}

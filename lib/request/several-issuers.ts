import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SelectIssuer } from '../../types/options.js'
import { notValid } from '../errors.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import { type Realm, realmOf } from '../realm/realm.js'
import type { Credentials } from '../token/credentials.js'
import type { Identity } from '../token/identity.js'
import { asynchronous, kindOf } from '../util/kind-of.js'
import { isThenable, type MaybePromise } from '../util/maybe-promise.js'
import { UNKNOWN_REALM } from './challenge.js'
import { presentationTo, type Prove } from './presentation.js'

/** The property of a request that holds its realm, if there are several. */
export const REALM = Symbol('fastify-keycloak-bearer.realm')

/** A request to an API of several issuers. */
type RequestWithRealm = FastifyRequest & { [REALM]?: Realm | null }

/** The realm that a request's token picked, which need not have verified it. */
export function pickedRealm (request: FastifyRequest): Realm | null | undefined {
  return (request as RequestWithRealm)[REALM]
}

/** The realm of the challenges to a request. */
export function protectionSpaceOf (request: FastifyRequest): string {
  return pickedRealm(request)?.protectionSpace ?? UNKNOWN_REALM
}

/** The parts of the decision on a token that a plugin of one issuer does without. */
export class SeveralIssuers {
  readonly #authority: Authority
  readonly #names: RealmDirectory['names']
  readonly #select: SelectIssuer | undefined

  constructor (authority: Authority, { names }: Pick<RealmDirectory, 'names'>, select: SelectIssuer | undefined) {
    this.#authority = authority
    this.#names = names
    this.#select = select
  }

  /** The identity of a kept token, if the request is not tied to another realm than the token's. */
  accept (request: FastifyRequest, identity: Identity): Identity {
    const realm = realmOf(identity)
    const selected = this.#selectedBy(request)
    setRealm(request, realm)
    mustBeSelected(realm, selected)
    return identity
  }

  /** A kept token was refused before a realm was picked: it is that of the token. */
  pickKept (request: FastifyRequest, header: string): void {
    const realm = this.#authority.realmOfKept!(header)
    if (realm !== undefined) setRealm(request, realm)
  }

  identify (request: FastifyRequest, reply: FastifyReply, credentials: Credentials, prove: Prove | undefined): MaybePromise<Identity> {
    const selected = this.#selectedBy(request)
    const realm = this.#authority.realmFor(credentials.token)
    const identifyBy = (picked: Realm): MaybePromise<Identity> => {
      setRealm(request, picked)
      mustBeSelected(picked, selected)
      return this.#authority.identify(picked, credentials, presentationTo(picked, reply, prove))
    }
    return realm instanceof Promise ? realm.then(identifyBy) : identifyBy(realm)
  }

  /** The name of the realm that the application ties a request to; `null` if it ties it to none. */
  #selectedBy (request: FastifyRequest): string | null {
    if (this.#select === undefined) return null
    const name: unknown = this.#select(request)
    if (name === null) return null
    if (isThenable(name)) throw asynchronous(name, 'selectIssuer')
    if (typeof name !== 'string') throw new TypeError(`selectIssuer must return the name of an issuer or null, not ${kindOf(name)}`)
    if (this.#names?.has(name) === false) throw new Error('selectIssuer returned a name that none of the issuers has; it must return one of them, or null to tie a request to none')
    return name
  }
}

/** @returns `undefined` if one realm decides on all tokens */
export function severalBy (authority: Authority, directory: RealmDirectory, select: SelectIssuer | undefined): SeveralIssuers | undefined {
  return authority.only === undefined ? new SeveralIssuers(authority, directory, select) : undefined
}

function setRealm (request: FastifyRequest, realm: Realm): void {
  (request as RequestWithRealm)[REALM] = realm
}

function mustBeSelected ({ name }: Realm, selected: string | null): void {
  if (selected !== null && selected !== name) throw notValid('issuer_not_selected')
}

import type { RealmHealth } from '../../types/instance.js'
import { RealmAccess } from '../access/realm-access.js'
import { EndpointHealth } from '../diagnostics/endpoint-health.js'
import { issuerLog } from '../diagnostics/issuer-log.js'
import { type IssuerCheck, StartCheck } from '../doctor/start-check.js'
import type { Introspection } from '../introspection/introspection.js'
import { KeycloakClient } from '../keycloak/client.js'
import type { ClientAuthentication } from '../keycloak/client-authentication.js'
import { createAuthentication } from '../keycloak/create-authentication.js'
import { KeySource } from '../keys/key-source.js'
import { preload } from '../keys/preload.js'
import { refuseTestKeys } from '../keys/test-keys.js'
import type { RealmSettings } from '../options/options.js'
import type { RevocationListener } from '../revocation/issuer-revocations.js'
import type { RealmRevocation } from '../revocation/realm-revocation.js'
import type { Identity, IdentityOwner } from '../token/identity.js'
import { createSignatureCheck, type IsSigned } from '../token/signature.js'
import type { TokenCache } from '../token/token-cache.js'
import type { FromCache, FromKept, VerifiedToken } from '../token/verifier.js'
import { createIdentification, type Identify } from './identification.js'
import { RealmOutbound } from './outbound.js'
import type { SharedByRealms, ToUser } from './shared.js'
import { createEndOf, type EndOf } from './token-end.js'
import type { Uma } from './uma.js'
import { createVerification, expectedClaimsOf } from './verification.js'

/** The parts of a realm that have state. */
interface Parts {
  client: KeycloakClient
  /** The API's client at Keycloak; `undefined` if the options have no credentials. */
  authentication: ClientAuthentication | undefined
  keys: KeySource
  /** `undefined` if tokens are not introspected. */
  introspection: Introspection | undefined
  /** `undefined` if logouts are not received. */
  revocation: RealmRevocation | undefined
  /** `undefined` without the option `uma`. */
  uma: Uma | undefined
}

/** All parts of one issuer, with a start and a close. */
export class Realm implements IdentityOwner {
  /** The name of the issuer. */
  readonly name: string
  readonly issuer: string
  /** The realm of its challenges (RFC 9110 section 11.5). */
  readonly protectionSpace: string
  readonly identify: Identify
  /** `undefined` if no tokens are kept, or Keycloak is asked at each request. */
  readonly fromCache: FromCache | undefined
  /** The same for a token that the cache has found already. */
  readonly fromKept: FromKept | undefined
  /** Does `identify` need the presentation? */
  readonly needsPresentation: boolean
  readonly toUser: ToUser
  /** Is a refused token signed by a key of this realm? Never, if signatures are not checked. */
  readonly hasSigned: IsSigned
  /** Has an accepted token ended since? */
  readonly endOf: EndOf
  /** The places of roles, groups and scopes in the realm's claims. */
  readonly access: RealmAccess
  /** The realm's tokens for other services. */
  readonly outbound: RealmOutbound
  /** The check of its Keycloak at start. */
  readonly check: IssuerCheck
  readonly #settings: RealmSettings
  readonly #parts: Parts
  readonly #tokens: SharedByRealms['tokens']
  /** The check of a realm that was opened while the API runs. */
  #watchedCheck: StartCheck | undefined

  constructor (settings: RealmSettings, parts: Parts, shared: SharedByRealms) {
    const { verify, fromKept: verifiedFromKept } = createVerification(this, settings, parts.keys, shared)
    const { identify, fromKept, needsPresentation } = createIdentification({ verify, fromKept: verifiedFromKept, ...parts })
    this.name = settings.name
    this.issuer = settings.issuer
    this.protectionSpace = settings.issuer.split('/').filter(Boolean).at(-1)!
    this.identify = identify
    this.fromKept = fromKept
    this.fromCache = fromKept && fromCacheBy(shared.tokens!, fromKept)
    this.needsPresentation = needsPresentation
    this.toUser = shared.createToUser(settings)
    this.hasSigned = settings.verifySignature ? createSignatureCheck(parts.keys, shared.limits) : async () => false
    this.endOf = createEndOf({ expected: expectedClaimsOf(settings, false, shared.confirmation), ...parts })
    this.access = new RealmAccess(settings, parts.uma?.deciderBy(this.endOf))
    this.outbound = new RealmOutbound({ settings, authentication: parts.authentication, ...shared })
    const { client: keycloakClient, introspection } = parts
    const context = { settings, keycloakClient, introspection, keys: settings.verifySignature ? parts.keys : undefined }
    this.check = { context, log: shared.startLog, name: shared.isOfSeveral ? settings.name : undefined }
    this.#settings = settings
    this.#parts = parts
    this.#tokens = shared.tokens
  }

  /**
   * Fetch the keys as far as the options demand, and follow the store of revocations.
   * @throws {Error} if a part that the options require cannot be had
   */
  async start (): Promise<void> {
    const { keys, revocation } = this.#parts
    if (this.#settings.verifySignature) await preload(keys, this.#settings)
    await revocation?.start()
  }

  /** Make the check of the start in the background, because the realm is opened while the API runs. */
  watch (): void {
    if (this.#settings.startCheck === false) return
    this.#watchedCheck = new StartCheck(this.check.context, this.check.log)
    void this.#watchedCheck.watch()
  }

  /**
   * Hear of each logout and not-before date that is taken in from now on.
   * @returns ends it; `undefined` if logouts are not received
   */
  onRevoked (listener: RevocationListener): (() => void) | undefined {
    return this.#parts.revocation?.onRevoked(listener)
  }

  health (): RealmHealth {
    const keys = this.#parts.keys.health()
    const introspection = this.#parts.introspection?.health() ?? null
    const revocation = this.#parts.revocation?.health() ?? null
    const uma = this.#parts.uma?.health() ?? null
    return { ok: this.#parts.keys.usable && introspection?.ok !== false && revocation?.ok !== false && uma?.ok !== false, keys, introspection, revocation, uma, outbound: this.outbound.health() }
  }

  /** Ends all calls and timers, and forgets the tokens of the realm. */
  async close (): Promise<void> {
    this.#watchedCheck?.close()
    this.#parts.keys.close()
    this.#parts.introspection?.close()
    this.#parts.revocation?.close()
    this.#tokens?.forgetAll(({ identity }) => identity.owner === this)
    await Promise.all([this.#parts.client.close(), this.#parts.uma?.close(), this.outbound.close()])
  }
}

/** The realm that verified the token of an identity. */
export function realmOf ({ owner }: Identity): Realm {
  return owner as Realm
}

function fromCacheBy (tokens: TokenCache<VerifiedToken>, fromKept: FromKept): FromCache {
  return (header, wall, monotonic) => {
    const kept = tokens.findBy(header)
    return kept && fromKept(kept, header, wall, monotonic)
  }
}

/** Wires the parts of one issuer. A part that is off is not loaded. */
export async function createRealm (settings: RealmSettings, sharedByAll: SharedByRealms): Promise<Realm> {
  const shared = sharedByAll.isOfSeveral ? withOwnLogs(sharedByAll, settings.name) : sharedByAll
  const { closing, log, limits } = shared
  const authentication = await createAuthentication(settings, closing)
  const client = new KeycloakClient(settings, closing, authentication?.certificate)
  const keyOptions = { ...settings.jwks, maxBytes: limits.keySetBytes, isRefused: refuseTestKeys(settings, log), pool: shared.pool }
  const keys = new KeySource(keyOptions, settings.baseUrl, client, new EndpointHealth('certs', log))
  const introspection = settings.verifyTokensWithKeycloak ? await loadIntrospection(settings, authentication!, client, shared) : undefined
  const revocation = settings.revocation && shared.revocations?.of(settings, keys)
  const uma = settings.uma && await (await import('./uma.js')).loadUma(settings, authentication!, shared)
  return new Realm(settings, { client, authentication, keys, introspection, revocation, uma }, shared)
}

/** The logs of one of several realms, whose lines name it. */
function withOwnLogs (shared: SharedByRealms, name: string): SharedByRealms {
  return { ...shared, log: issuerLog(shared.log, name), startLog: issuerLog(shared.startLog, name) }
}

async function loadIntrospection (settings: RealmSettings, authentication: ClientAuthentication, client: KeycloakClient, { log, tokens, responses, limits, confirmation }: SharedByRealms): Promise<Introspection> {
  const { Introspection } = await import('../introspection/introspection.js')
  return new Introspection({
    ...expectedClaimsOf(settings, false, confirmation),
    ...settings.introspection,
    clientId: settings.clientId,
    authentication,
    log,
    responses,
    keepsUnshared: tokens !== undefined,
    maxBytes: limits.introspectionBytes,
    maxDepth: limits.jsonDepth
  }, client, new EndpointHealth('token/introspect', log))
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LightMyRequestResponse } from 'fastify'
import type { KeycloakOptions } from '../../types/options.js'
import { testRealms } from '../util/test-realms.js'
import { discovery, openTo } from './discovery.js'
import { createClientLookup, DpopClient, type DpopClientOptions } from './dpop-client.js'
import { authorization, injectAs, type AuthorizationHeader, type InjectableApp, type InjectAsOptions } from './inject.js'
import { Introspection } from './introspection.js'
import type { Claims, JwsHeader } from './jws.js'
import { KeyRing } from './keys.js'
import type { Login } from './login/index.js'
import type { RealmDefaults, TestRealmOptions } from './realm-options.js'
import { json, RealmServer, type Endpoint, type Handler, type RecordedRequest } from './server.js'
import type { ServiceRules, TestServices } from './services/index.js'
import { draft } from './tokens.js'
import type { TokenSpec } from './token-spec.js'

/** A running realm. See `createTestRealm`. */
export class TestRealm {
  readonly #settings: RealmDefaults
  readonly #keys: KeyRing
  readonly #introspection: Introspection
  readonly #login: Login | undefined
  readonly #server: RealmServer
  readonly #clientOf = createClientLookup()
  #services?: TestServices
  #closed = false

  /** @internal */
  constructor (options: TestRealmOptions, LoginClass?: typeof Login) {
    const { name = 'test', clientId = 'api', clientSecret = 'test-secret', tokenLifespan = 300 } = options
    this.#settings = { name, clientId, clientSecret, tokenLifespan }
    this.#keys = new KeyRing(options.algorithms ?? ['RS256'])
    this.#introspection = new Introspection(this, this.#keys, (sid) => this.#login?.isOver(sid) === true, () => this.#services)
    this.#login = LoginClass && new LoginClass(options.login!, this, this.#keys, (token) => this.#introspection.activeClaims(token))
    this.#server = new RealmServer(`/realms/${encodeURIComponent(name)}`, options.port ?? 0, {
      certs: (_, response) => json(response, 200, this.#keys.jwks(), { 'cache-control': 'no-cache' }),
      introspect: (request, response, body) => json(response, ...this.#introspection.answer(request, body)),
      discovery: ({ headers: { origin } }, response) => json(response, 200, discovery(this.issuer, this.#keys.algorithms, this.#login?.metadata), openTo(origin)),
      token: (request, response, body) => {
        const next = (): void => this.#answerForLogin(request, response, body)
        if (this.#services === undefined) next()
        else this.#services.answer(request, response, body, this.#login && next)
      },
      protection: (request, response, body) => this.#services === undefined ? this.#answerForLogin(request, response, body) : json(response, ...this.#services.protection(request)),
      other: (request, response, body) => this.#answerForLogin(request, response, body)
    })
  }

  #answerForLogin (request: IncomingMessage, response: ServerResponse, body: string): void {
    if (this.#login?.answer(request, response, body) !== true) json(response, 404, { error: 'HTTP 404 Not Found' })
  }

  /** The realm's URL, the `iss` of its tokens: `http://127.0.0.1:PORT/realms/NAME`. */
  get issuer (): string {
    return this.#server.url
  }

  /**
   * The plugin's options: `app.register(keycloak, { ...realm.options })`. The check at start is off, so that `requests`
   * counts the requests of a test alone.
   */
  get options (): Required<Pick<KeycloakOptions, 'issuer' | 'clientId' | 'audience'>> & { clientSecret: string, startCheck: false } {
    const { clientId, clientSecret } = this.#settings
    return { issuer: this.issuer, clientId, clientSecret, audience: clientId, startCheck: false }
  }

  /**
   * A signed token, by default alice's access token as Keycloak makes it.
   * @throws {Error} when the realm has no key for `alg`
   * @throws {TypeError} when there is no such `kind`, or `spec` has a member that is unknown or of another type
   */
  token (spec: TokenSpec = {}): string {
    const { header, payload, complete } = draft(spec, { ...this.#settings, issuer: this.issuer, clientOf: this.#clientOf })
    const token = this.#keys.sign(payload, header, spec.forged === true)
    if (complete !== payload) this.#introspection.remember(token, complete)
    return token
  }

  /**
   * The header that carries a token: `{ authorization: 'Bearer …' }`, for `app.inject`, fetch, supertest, a WebSocket. With
   * `dpop` the scheme is DPoP; the proof, which is for one request, is made by `DpopClient.proof`.
   * @param as the description of a token, or a token of `token()`; by default alice's access token
   * @throws {TypeError} when a string is no token; else as `token()` does
   */
  headers (as: TokenSpec | string = {}): AuthorizationHeader {
    return typeof as === 'string' ? authorization('Bearer', as) : authorization(as.dpop === undefined ? 'Bearer' : 'DPoP', this.token(as))
  }

  /**
   * `app.inject` as a user: `realm.inject(app, { as: { username: 'bob', roles: ['admin'] }, url: '/profile' })`. A string
   * is an anonymous request: `'/profile'`, or with another method than GET `'DELETE /orders/1'`. With `dpop` in `as` the
   * request has a fresh proof, and is made a second time if the API asks for a nonce.
   * @param app the Fastify instance that has the plugin with the `options` of this realm
   * @param request anything that `app.inject` takes, and `as`: the description of a token, or a token; by default anonymous
   * @throws {TypeError} when there is an Authorization header besides `as`; else as `headers()` and `app.inject` do
   */
  async inject (app: InjectableApp, request: string | InjectAsOptions): Promise<LightMyRequestResponse> {
    return injectAs(app, request, as => this.headers(as), this.#clientOf)
  }

  /**
   * A client with a new key pair, which makes DPoP proofs (RFC 9449): `realm.token({ dpop: client })` is bound to its key.
   * @throws {TypeError} when `algorithm` is none
   */
  dpop (options?: DpopClientOptions): DpopClient {
    return new DpopClient(options)
  }

  /**
   * Signs any payload: its JSON, or its bytes if it is a Uint8Array. The header is `{ alg, typ: 'JWT', kid }` of the
   * realm's current key (by default for the first of `algorithms`), with the members of `header` merged over it; a value of
   * undefined removes a member. Two kinds of `alg` are attacks (RFC 8725 section 2.1): `none` leaves the signature empty, and
   * `HS256`, `HS384` and `HS512` use the PEM of the realm's public key as their secret.
   * @throws {Error} when the realm has no key for `alg`
   */
  sign (payload: unknown, header: JwsHeader = {}): string {
    return this.#keys.sign(payload, header, false)
  }

  /**
   * Signs tokens by new keys, with new kids, from now on. The old keys stay in the key set unless `removeOld` is true. The
   * second rotation and later ones make RSA keys, which takes 60 to 290 ms each.
   */
  rotateKeys ({ removeOld = false }: { removeOld?: boolean } = {}): void {
    this.#keys.rotate(removeOld)
  }

  /** Makes introspection call this token inactive from now on, as after a logout. */
  revoke (token: string): void {
    this.#introspection.revoke(token)
  }

  /**
   * Makes introspection answer this token with these claims merged over its own, as if a role had been granted or withdrawn
   * since; a value of undefined removes a claim. Later updates add to earlier ones.
   */
  update (token: string, claims: Claims): void {
    this.#introspection.update(token, claims)
  }

  /**
   * Lets the realm answer client credentials, token exchange (RFC 8693), UMA and look-ups of resources. Replaces earlier rules and their log.
   * @throws {TypeError} when a rule has a member that is unknown or of another type, or a client has no credentials
   */
  async services (rules: ServiceRules = {}): Promise<TestServices> {
    const { TestServices } = await import('./services/index.js')
    const isActive = (token: string): boolean => this.#introspection.activeClaims(token) !== null
    this.#services = new TestServices(rules, this, { ...this.#settings, isActive })
    return this.#services
  }

  /** The number of requests to each endpoint so far, faults included. A snapshot: read the property again for later counts. */
  get requests (): Readonly<Record<Endpoint, number>> {
    return this.#server.counts
  }

  /** The last request to an endpoint, faults included; undefined before the first. */
  lastRequest (endpoint: Endpoint): RecordedRequest | undefined {
    return this.#server.last(endpoint)
  }

  /** Refuses connections, and closes open ones, until `up()`. */
  async down (): Promise<void> {
    await this.#server.stop()
  }

  /** Accepts requests and never answers them, on one endpoint or on all endpoints, until `up()`. */
  hang (endpoint?: Endpoint): void {
    this.#server.override(endpoint, () => {})
  }

  /** Answers with this status (default 500) and a JSON error, on one endpoint or on all endpoints, until `up()`. */
  error (status = 500, endpoint?: Endpoint): void {
    this.#server.override(endpoint, (_, response) => json(response, status, { error: 'unknown_error' }))
  }

  /** Lets a handler answer an endpoint until `up()`; `null` restores the realm's own answer. */
  respond (endpoint: Endpoint, handler: Handler | null): void {
    this.#server.override(endpoint, handler)
  }

  /**
   * Returns to normal on the same port: ends `down`, `hang`, `error` and `respond`, and closes the connections of requests
   * that still wait for an answer.
   * @throws {Error} when the realm is closed, or its port has been taken meanwhile
   */
  async up (): Promise<void> {
    if (this.#closed) throw new Error('The test realm is closed: create another one.')
    await this.#server.start()
  }

  /** Stops the realm for good, and closes all connections at once. May be called again. */
  async close (): Promise<void> {
    this.#closed = true
    testRealms().delete(this)
    await this.#server.stop()
  }
}

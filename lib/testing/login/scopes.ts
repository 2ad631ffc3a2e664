import type { LoginClient } from './clients.js'
import type { LoginSettings } from './options.js'

/** The client scopes of each new realm: a client has them by default, or may ask for them. */
export const DEFAULT = ['basic', 'profile', 'email', 'roles', 'acr', 'web-origins']
export const OPTIONAL = ['address', 'phone', 'microprofile-jwt', 'organization']

/** The client scopes that are not named in tokens: *Include in token scope* is off. */
export const UNNAMED = ['basic', 'roles', 'acr', 'web-origins']

/** The claims of client scopes that a client has by default, and lacks if it named its scopes at its registration. */
const CLAIMS: Readonly<Record<string, readonly string[]>> = {
  profile: ['name', 'preferred_username', 'given_name', 'family_name'],
  email: ['email', 'email_verified'],
  roles: ['realm_access', 'resource_access'],
  acr: ['acr'],
  organization: ['organization'],
  groups: ['groups']
}

/** The scopes of a login: who may ask for which, and their effect on the access token. */
export class Scopes {
  readonly #settings: Pick<LoginSettings, 'scopes'>

  constructor (settings: Pick<LoginSettings, 'scopes'>) {
    this.#settings = settings
  }

  /** The member `scopes_supported` of the metadata (RFC 8414 section 2). */
  get names (): readonly string[] {
    return ['openid', ...DEFAULT, ...this.optional]
  }

  /** The scopes that a client has which registers without naming any. */
  get optional (): readonly string[] {
    return [...OPTIONAL, ...Object.keys(this.#settings.scopes() ?? {})]
  }

  /** Does the realm have this client scope? `openid` is none. */
  has (word: string): boolean {
    return word !== 'openid' && (this.#settings.scopes() === undefined || this.names.includes(clientScopeOf(word)))
  }

  /** May the client ask for this scope? */
  allows ({ scopes }: LoginClient, word: string): boolean {
    return word === 'openid' || (this.has(word) && (scopes === undefined || scopes.includes(clientScopeOf(word))))
  }

  /** The scope claim for these words: with the scopes that the client has by default. */
  granted ({ scopes }: LoginClient, words: readonly string[]): string {
    const all = scopes === undefined ? [...words, 'email', 'profile'] : words
    return [...new Set(all)].filter((word) => !UNNAMED.includes(word)).join(' ')
  }

  /** The audiences that the words of a scope claim add to a token. */
  audiences (scope: string): string[] {
    const scopes = this.#settings.scopes() ?? {}
    return scope.split(' ').flatMap((word) => Object.hasOwn(scopes, word) ? scopes[word]!.audience ?? [] : [])
  }
}

/** The claims that a token lacks if its client named its scopes at its registration, and these words were asked for. */
export function missingClaims (words: readonly string[]): string[] {
  const asked = words.map(clientScopeOf)
  return Object.entries(CLAIMS).flatMap(([scope, claims]) => asked.includes(scope) ? [] : claims)
}

/** `organization:acme` is the client scope `organization`, with a parameter. */
function clientScopeOf (word: string): string {
  return word.startsWith('organization:') ? 'organization' : word
}

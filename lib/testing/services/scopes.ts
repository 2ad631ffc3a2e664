import { DEFAULT, OPTIONAL, UNNAMED } from '../login/scopes.js'
import { OAuthError } from '../login/reply.js'
import type { ServiceScope } from './rules.js'

/** The scopes that clients have without asking for them, and that tokens name. */
const NAMED = DEFAULT.filter((word) => !UNNAMED.includes(word))

/** The client scopes of the realm. */
export class ServiceScopes {
  readonly #rules: Readonly<Record<string, ServiceScope>>

  constructor (rules: Readonly<Record<string, ServiceScope>>) {
    this.#rules = rules
  }

  /**
   * The scope claim for the parameter `scope`.
   * @throws {OAuthError} `invalid_scope`
   */
  granted (scope: string): string {
    const words = scope.split(' ').filter((word) => word !== '')
    if (!words.every((word) => this.#has(word))) throw new OAuthError('invalid_scope', `Invalid scopes: ${scope}`)
    const byDefault = Object.keys(this.#rules).filter((word) => this.#rules[word]!.default === true)
    const granted = new Set([...NAMED, ...byDefault, ...words].filter((word) => !UNNAMED.includes(word)))
    const openid = granted.delete('openid') ? ['openid'] : []
    return [...openid, ...[...granted].sort()].join(' ')
  }

  /** The clients that the words of a scope claim add to `aud`. */
  audiences (scope: string): string[] {
    return scope.split(' ').flatMap((word) => Object.hasOwn(this.#rules, word) ? this.#rules[word]!.audience ?? [] : [])
  }

  /** Is there a scope for this audience? */
  knows (audience: string): boolean {
    return Object.values(this.#rules).some((rule) => [rule.audience ?? []].flat().includes(audience))
  }

  #has (word: string): boolean {
    return ['openid', 'offline_access', ...DEFAULT, ...OPTIONAL].includes(word) || Object.hasOwn(this.#rules, word)
  }
}

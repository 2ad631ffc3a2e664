export interface User {
  issuer: string
  sub: string
  username: string
  notes: string[]
}

// The type of `request.user`: what `syncUser` returns.
declare module 'fastify-keycloak-bearer' {
  interface KeycloakTypes { user: User }
}

/** The table of users. Its key is (issuer, sub), because a `sub` is unique within its realm only. */
export class UserTable {
  readonly #rows = new Map<string, User>()

  /** INSERT … ON CONFLICT (issuer, sub) DO UPDATE … */
  async upsert (issuer: string, sub: string, username: string): Promise<User> {
    const key = JSON.stringify([issuer, sub])
    const user = { notes: [], ...this.#rows.get(key), issuer, sub, username }
    this.#rows.set(key, user)
    return user
  }
}

// Who is measured, with which tokens, and against whom.

export interface Contender {
  /** For --only, and for the tables. */
  name: string
  /** A module of contenders/. */
  module: string
  mode?: string
  /** Distinct tokens, sent in turn. */
  tokens: 1 | 1000 | 100_000
  /** Whose requests per second the ratio is taken of. */
  base?: string
  /** It asks for no token at all, and refuses none. */
  open?: true
}

export const CONTENDERS: readonly Contender[] = [
  { name: 'bare', module: 'bare', tokens: 1, open: true },
  { name: 'ours', module: 'ours', tokens: 1, base: 'bare' },
  { name: 'ours-logout', module: 'ours', mode: 'revocation', tokens: 1, base: 'bare' },
  { name: 'ours-sync-user', module: 'ours', mode: 'syncUser', tokens: 1, base: 'bare' },
  { name: 'ours-ttl', module: 'ours', mode: 'cacheTtl', tokens: 1, base: 'bare' },
  { name: 'bare-1000', module: 'bare', tokens: 1000, open: true },
  { name: 'ours-1000', module: 'ours', tokens: 1000, base: 'bare-1000' },
  { name: 'verify-100k', module: 'verify', tokens: 100_000, open: true },
  { name: 'ours-100k', module: 'ours', tokens: 100_000, base: 'verify-100k' },
  { name: 'ours-no-cache', module: 'ours', mode: 'cache: false', tokens: 100_000, base: 'verify-100k' },
  { name: 'jose-100k', module: 'jose', tokens: 100_000, base: 'verify-100k' },
  { name: 'bare-call', module: 'bare-call', tokens: 1, open: true },
  { name: 'ours-introspection', module: 'ours', mode: 'introspection', tokens: 1, base: 'bare-call' },
  { name: 'jose', module: 'jose', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-cache', module: 'fastify-jwt', mode: 'cache', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-cache-1000', module: 'fastify-jwt', mode: 'cache', tokens: 1000, base: 'bare-1000' },
  { name: 'fastify-jwt', module: 'fastify-jwt', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-jwks-cache', module: 'fastify-jwt-jwks', mode: 'cache', tokens: 1, base: 'bare' },
  { name: 'fastify-jwt-jwks', module: 'fastify-jwt-jwks', tokens: 1, base: 'bare' },
  { name: 'express', module: 'express', tokens: 1, base: 'bare', open: true },
  { name: 'express-oauth2-jwt-bearer', module: 'express-oauth2-jwt-bearer', tokens: 1, base: 'express' },
  { name: 'keycloak-connect', module: 'keycloak-connect', tokens: 1, base: 'express' }
]

/** Those that were asked for, and the bases of their ratios. */
export function chosen (names: readonly string[] | undefined): readonly Contender[] {
  if (names === undefined) return CONTENDERS
  const unknown = names.find((name) => !CONTENDERS.some((each) => each.name === name))
  if (unknown !== undefined) throw new Error(`--only: there is no contender "${unknown}"; there are ${CONTENDERS.map(({ name }) => name).join(', ')}`)
  const bases = CONTENDERS.flatMap(({ name, base }) => names.includes(name) && base !== undefined ? [base] : [])
  return CONTENDERS.filter(({ name }) => names.includes(name) || bases.includes(name))
}

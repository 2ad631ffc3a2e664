/** The settings of the demo; an empty variable counts as one that is not set. */
export interface Environment {
  port: number
  /** Seconds that the tokens of the embedded realm live. */
  tokenLifespan: number
  /** A realm of a real Keycloak; `undefined` for the embedded one. */
  issuer: string | undefined
  clientId: string
  clientSecret: string | undefined
  audience: string
  webClientId: string
}

/** @throws {TypeError} one sentence that names the variable */
export function readEnvironment (env: NodeJS.ProcessEnv): Environment {
  const read = (name: string) => env[name] || undefined
  const issuer = read('KEYCLOAK_ISSUER')
  if (issuer !== undefined && !(/^https?:/i.test(issuer) && URL.canParse(issuer))) {
    throw new TypeError(`KEYCLOAK_ISSUER must be the full URL of a realm, such as https://sso.example.com/realms/acme; it is "${issuer}"`)
  }
  const clientId = read('KEYCLOAK_CLIENT_ID') ?? 'api'
  return {
    port: whole('PORT', read('PORT') ?? '3000', 0, 65_535),
    tokenLifespan: whole('TOKEN_LIFESPAN', read('TOKEN_LIFESPAN') ?? '120', 1, 86_400),
    issuer,
    clientId,
    clientSecret: read('KEYCLOAK_CLIENT_SECRET'),
    audience: read('KEYCLOAK_AUDIENCE') ?? clientId,
    webClientId: read('KEYCLOAK_WEB_CLIENT_ID') ?? 'web'
  }
}

function whole (name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new TypeError(`${name} must be a whole number from ${least} to ${most}; it is "${text}"`)
}

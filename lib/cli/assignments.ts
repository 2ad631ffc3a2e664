import { NO_SECRETS, UsageError } from './usage-error.js'

/** `name=value`, with a name as options and members of a route's config have it. */
const ASSIGNMENT = /^([A-Za-z]\w*)=(.*)$/s

/** The options that come from the environment, and their variables. */
export const VARIABLES: Readonly<Record<string, string>> = {
  issuer: 'KEYCLOAK_ISSUER',
  issuers: 'KEYCLOAK_ISSUER',
  serverUrl: 'KEYCLOAK_SERVER_URL',
  clientId: 'KEYCLOAK_CLIENT_ID',
  clientSecret: 'KEYCLOAK_CLIENT_SECRET',
  clientAssertion: 'KEYCLOAK_CLIENT_ASSERTION_KEY_FILE',
  'clientAssertion.key': 'KEYCLOAK_CLIENT_ASSERTION_KEY_FILE',
  'clientAssertion.keyId': 'KEYCLOAK_CLIENT_ASSERTION_KEY_ID',
  clientCertificate: 'KEYCLOAK_CLIENT_CERT_FILE',
  'clientCertificate.cert': 'KEYCLOAK_CLIENT_CERT_FILE',
  'clientCertificate.key': 'KEYCLOAK_CLIENT_KEY_FILE',
  audience: 'KEYCLOAK_AUDIENCE'
}

/** A member for a secret, such as `dpop.nonce.secret`. */
const SECRET = /secret|password/i

/**
 * The members that `--option` or `--route` gave, in the forms of JSON; anything else is a text.
 * @throws {UsageError}
 */
export function assignments (option: 'option' | 'route', written: readonly string[] = []): Record<string, unknown> {
  const members = new Map<string, unknown>()
  for (const each of written) {
    const [, name, value] = ASSIGNMENT.exec(each) ?? []
    if (name === undefined) throw new UsageError(`--${option} must be a name, "=" and a value, such as ${option === 'option' ? 'leeway=5' : 'permission=read-profile'}`)
    if (option === 'option') refuse(name, value!)
    if (members.has(name)) throw new UsageError(`--${option} ${name} is given twice: write one, whose value can be a list, such as ${option === 'option' ? '\'algorithms=["RS256","ES256"]\'' : '\'permission=["read","write"]\''}`)
    members.set(name, valueOf(value!))
  }
  return Object.fromEntries(members)
}

function refuse (name: string, value: string): void {
  const variable = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined
  if (variable !== undefined) throw new UsageError(`--option ${name} comes from the environment: write it into ${variable}`)
  if (SECRET.test(name) || SECRET.test(value)) throw new UsageError(`--option takes no secret: ${NO_SECRETS}`)
  if (name === 'verifySignature') throw new UsageError('--option verifySignature is not taken: the doctor always checks the signature')
}

function valueOf (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

import { readFileSync } from 'node:fs'
import { codeOf } from '../errors.js'
import { type Environment, variable } from './environment.js'
import { UsageError } from './usage-error.js'

/** The variables that give credentials of the client. Others than the secret are files, since keys have many lines. */
const CREDENTIALS = ['KEYCLOAK_CLIENT_SECRET', 'KEYCLOAK_CLIENT_ASSERTION_KEY_FILE', 'KEYCLOAK_CLIENT_ASSERTION_FILE', 'KEYCLOAK_CLIENT_CERT_FILE', 'KEYCLOAK_CLIENT_KEY_FILE'] as const

/**
 * The options by which the client proves itself, if there are any.
 * @throws {UsageError}
 */
export function clientCredentials (env: Environment): Record<string, unknown> {
  const given = CREDENTIALS.filter((name) => variable(env, name) !== undefined)
  if (given.length === 0) return {}
  if (variable(env, 'KEYCLOAK_CLIENT_ID') === undefined) throw new UsageError(`KEYCLOAK_CLIENT_ID is missing: ${given[0] === 'KEYCLOAK_CLIENT_SECRET' ? 'KEYCLOAK_CLIENT_SECRET is the secret of that client' : `${given[0]} belongs to that client`}`)
  return { ...secretOf(env), ...certificateOf(env), ...assertionOf(env), verifyTokensWithKeycloak: true }
}

function secretOf (env: Environment): Record<string, unknown> {
  const clientSecret = variable(env, 'KEYCLOAK_CLIENT_SECRET')
  return clientSecret === undefined ? {} : { clientSecret }
}

function certificateOf (env: Environment): Record<string, unknown> {
  const [cert, key] = [fileOf(env, 'KEYCLOAK_CLIENT_CERT_FILE'), fileOf(env, 'KEYCLOAK_CLIENT_KEY_FILE')]
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('KEYCLOAK_CLIENT_CERT_FILE and KEYCLOAK_CLIENT_KEY_FILE go together: a certificate, and its private key')
  return cert === undefined ? {} : { clientCertificate: { cert, key } }
}

function assertionOf (env: Environment): Record<string, unknown> {
  const [key, assertion] = [fileOf(env, 'KEYCLOAK_CLIENT_ASSERTION_KEY_FILE'), fileOf(env, 'KEYCLOAK_CLIENT_ASSERTION_FILE')]
  if (key !== undefined && assertion !== undefined) throw new UsageError('KEYCLOAK_CLIENT_ASSERTION_KEY_FILE goes without KEYCLOAK_CLIENT_ASSERTION_FILE: keep the key, or the assertion that somebody else signed')
  if (assertion !== undefined) return { clientAssertion: () => assertion }
  if (key === undefined) return {}
  const keyId = variable(env, 'KEYCLOAK_CLIENT_ASSERTION_KEY_ID')
  return { clientAssertion: { key: jwkIn(key) ?? key, ...keyId !== undefined && { keyId } } }
}

/** A JWK; `undefined` for PEM. */
function jwkIn (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fileOf (env: Environment, name: string): string | undefined {
  const path = variable(env, name)
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${name} must be the path of a file that can be read (${codeOf(error)})`)
  }
}

import type { Readable } from 'node:stream'
import { credentialsIn } from '../request/credentials.js'
import type { Scheme } from '../token/credentials.js'
import { member, parseObject } from '../util/strict-json.js'
import { type Environment, variable } from './environment.js'

/** A text that has the token, and its place. */
export interface TokenInput {
  source: 'KEYCLOAK_TOKEN' | 'standard input'
  text: string
}

/** A token, and its scheme if the text was a header. */
export interface GivenCredentials {
  scheme: Scheme | undefined
  token: string
}

/** Characters that are read. A token that is longer is refused by its length. */
const MAX_LENGTH = 256 * 1024

/** Milliseconds until standard input that says nothing counts as empty, because it may be a pipe that nobody closes. */
const PATIENCE = 10_000

/** The answer of Keycloak's token endpoint is flat. */
const MAX_DEPTH = 8

/** @returns `undefined` if there is no token */
export async function readToken (env: Environment, stdin: Readable & { isTTY?: boolean }, patience = PATIENCE): Promise<TokenInput | undefined> {
  const given = variable(env, 'KEYCLOAK_TOKEN')
  if (given !== undefined) return { source: 'KEYCLOAK_TOKEN', text: given }
  if (stdin.isTTY === true) return undefined
  const text = (await read(stdin, patience)).trim()
  return text === '' ? undefined : { source: 'standard input', text }
}

/** Reads to the end, but neither longer than it may take nor more than is needed. */
async function read (stdin: Readable, patience: number): Promise<string> {
  let text = ''
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patience)
    const finish = (): void => {
      clearTimeout(timer)
      resolve()
    }
    stdin.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.length > MAX_LENGTH) finish()
    }).on('end', finish).on('error', finish)
  })
  stdin.destroy()
  return text
}

/**
 * The credentials in a text: a token, an Authorization header with its name or without, or an answer of Keycloak's token endpoint.
 * @throws {KeycloakError} bad_authorization_header
 */
export function credentialsOf (text: string): GivenCredentials {
  if (text.startsWith('{')) return { scheme: undefined, token: String(member(parseObject(text, MAX_DEPTH) ?? {}, 'access_token') ?? '') }
  const header = text.replace(/^authorization: */i, '')
  const found = /^(?:bearer|dpop)\b/i.test(header) ? credentialsIn(header, true) : null
  return found ?? { scheme: undefined, token: text.replace(/^"(.*)"$/, '$1') }
}

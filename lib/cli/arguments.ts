import { parseArgs } from 'node:util'
import { nearest } from '../util/spelling.js'
import { assignments } from './assignments.js'
import { NO_SECRETS, UsageError } from './usage-error.js'

/** The command line, checked. */
export interface Arguments {
  help: boolean
  json: boolean
  /** Options of the plugin, beside those of the environment. */
  options: Readonly<Record<string, unknown>>
  /** The config of the route that the token is for. */
  route: Readonly<Record<string, unknown>>
  /** The back-channel logout URL of the API. */
  logoutUrl: string | undefined
}

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  option: { type: 'string', multiple: true },
  route: { type: 'string', multiple: true },
  'logout-url': { type: 'string' }
} as const

const NAMES = Object.keys(OPTIONS)

/** A token, or a long part of one: three segments of base64url with dots between them. */
const TOKEN = /eyJ[\w-]{6,}|[\w-]{16,}\.[\w-]{16,}/

/** Names of options under which people give secrets. */
const SECRET_NAME = /token|secret|passw|credential|bearer|key/i

/**
 * @param args without those of Node itself
 * @throws {UsageError} that repeats no value, because it could be a secret
 */
export function readArguments (args: readonly string[]): Arguments {
  if (args.some((each) => TOKEN.test(each))) throw new UsageError(`an argument looks like a token: ${NO_SECRETS}`)
  const { values, tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true })
  const words = tokens.filter(({ kind }) => kind === 'positional').map((each) => (each as { value: string }).value)
  for (const each of tokens) if (each.kind === 'option') checkOption(each.name, each.rawName, each.value)
  const help = values.help === true
  if (words[0] !== 'doctor' && !(help && words.length === 0)) throw new UsageError(`the command is ${words.length === 0 ? 'missing' : 'not known'}: write fastify-keycloak-bearer doctor, or --help`)
  if (words.length > 1) throw new UsageError(`there is an argument that is no option: ${NO_SECRETS}`)
  return {
    help,
    json: values.json === true,
    options: assignments('option', values.option as string[] | undefined),
    route: assignments('route', values.route as string[] | undefined),
    logoutUrl: values['logout-url'] as string | undefined
  }
}

function checkOption (name: string, rawName: string, value: string | undefined): void {
  if (!Object.hasOwn(OPTIONS, name)) throw unknown(name, rawName)
  const { type } = OPTIONS[name as keyof typeof OPTIONS]
  if (type === 'boolean' && value !== undefined) throw new UsageError(`--${name} takes no value`)
  if (type === 'string' && (value === undefined || value === '')) throw new UsageError(`--${name} needs a value: see --help`)
}

function unknown (name: string, rawName: string): UsageError {
  if (SECRET_NAME.test(name)) return new UsageError(`there is no option for tokens and secrets: ${NO_SECRETS}`)
  const meant = nearest(name, NAMES, 2)
  if (meant !== undefined) return new UsageError(`an option is not known: write --${meant}`)
  // A name of few letters is no secret.
  return new UsageError(`${/^--[a-z-]{2,20}$/.test(rawName) ? rawName : 'an option'} is not known: see --help`)
}

import { RULE_KEYS } from '../access/config-keys.js'
import { compileGuard, type Guard } from '../access/route-guard.js'
import { confirmationRulesOf } from '../options/confirmation-rules.js'
import { parseOptions, type PluginSettings, type RealmSettings } from '../options/options.js'
import { realmNameOf } from '../options/realm-url.js'
import type { Arguments } from './arguments.js'
import { VARIABLES } from './assignments.js'
import { clientCredentials } from './client-credentials.js'
import { type Environment, variable } from './environment.js'
import { UsageError } from './usage-error.js'

/** The settings of the plugin that would have these options, and the rule of the route. */
export interface Configuration {
  plugin: PluginSettings
  realms: readonly RealmSettings[]
  guard: Guard
}

/**
 * @throws {UsageError} with the sentence of the plugin about a wrong option, in which the variable has the option's place
 */
export function configurationOf (env: Environment, { options, route }: Pick<Arguments, 'options' | 'route'>): Configuration {
  const stranger = Object.keys(route).find((name) => !(RULE_KEYS as readonly string[]).includes(name))
  if (stranger !== undefined) throw new UsageError(`--route ${stranger} is not known: write one of ${RULE_KEYS.join(', ')}`)
  const written = { ...common(env), ...options, ...issuersOf(env) }
  try {
    const { plugin, issuers } = parseOptions(written)
    const guard = compileGuard(route, { name: '--route', url: '/' }, true, undefined, confirmationRulesOf(plugin))
    return { plugin, realms: (issuers as { realms: readonly RealmSettings[] }).realms, guard }
  } catch (error) {
    throw new UsageError(inWordsOfTheDoctor((error as Error).message))
  }
}

function common (env: Environment): Record<string, unknown> {
  const clientId = variable(env, 'KEYCLOAK_CLIENT_ID')
  const audience = listIn(variable(env, 'KEYCLOAK_AUDIENCE'))
  return {
    ...clientId !== undefined && { clientId },
    ...clientCredentials(env),
    ...audience.length > 0 && { audience }
  }
}

function issuersOf (env: Environment): Record<string, unknown> {
  const issuers = listIn(variable(env, 'KEYCLOAK_ISSUER'))
  const serverUrls = listIn(variable(env, 'KEYCLOAK_SERVER_URL'))
  if (issuers.length === 0) throw new UsageError('KEYCLOAK_ISSUER is missing: write the URL of the realm into it, such as https://sso.example.com/realms/acme')
  if (serverUrls.length > 0 && serverUrls.length !== issuers.length) throw new UsageError('KEYCLOAK_SERVER_URL must have as many URLs as KEYCLOAK_ISSUER, in the same order')
  const realms = issuers.map((issuer, at) => ({ issuer, ...serverUrls[at] !== undefined && { serverUrl: serverUrls[at] } }))
  return realms.length === 1 ? realms[0]! : { issuers: named(realms) }
}

/** Realms of one name on two servers are told apart by their URLs. */
function named (realms: ReadonlyArray<{ issuer: string }>): object[] {
  const names = realms.map(({ issuer }) => realmNameOf(issuer))
  return new Set(names).size === names.length ? [...realms] : realms.map((realm) => ({ ...realm, name: realm.issuer }))
}

/** Several values have blanks or commas between them. */
function listIn (text = ''): string[] {
  return text.split(/[\s,]+/).filter((each) => each !== '')
}

function inWordsOfTheDoctor (sentence: string): string {
  return sentence.replace('fastify-keycloak-bearer: ', '')
    .replace(/^option "(?:issuers\[\d+\]\.)?([\w.]+)"/, (_all, name: string) => Object.hasOwn(VARIABLES, name) ? VARIABLES[name]! : `--option ${name}`)
}

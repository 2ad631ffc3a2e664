import type { Readable } from 'node:stream'
import { checkLogoutUrl } from '../doctor/logout-url.js'
import { realmUrlFault } from '../options/realm-url.js'
import { type Arguments, readArguments } from './arguments.js'
import { type Check, CheckList } from './check.js'
import { type Configuration, configurationOf } from './configuration.js'
import type { Environment } from './environment.js'
import { HELP } from './help.js'
import { keycloakChecks } from './keycloak-checks.js'
import { openRealms, type OpenRealms } from './open-realms.js'
import { type Report, reportOf } from './report.js'
import { textOf } from './text-report.js'
import { explainToken } from './token-explanation.js'
import { readToken } from './token-input.js'
import { UsageError } from './usage-error.js'

/** The parts of the process that the doctor uses. */
export interface Process {
  /** Without those of Node itself. */
  args: readonly string[]
  env: Environment
  stdin: Readable & { isTTY?: boolean }
  stdout: { write: (text: string) => unknown, isTTY?: boolean, hasColors?: () => boolean }
  stderr: { write: (text: string) => unknown }
}

/** The report says that nothing was checked of a token: else a script would take the exit code 0 for a good one. */
const NO_TOKEN: Check = { subject: 'token', check: 'authorization', status: 'skipped', message: 'no token was given, so none was checked: give one by standard input or KEYCLOAK_TOKEN' }

/** Runs the doctor. @returns the exit code */
export async function run ({ args, env, stdin, stdout, stderr }: Process): Promise<0 | 1 | 2> {
  let given: Arguments
  let configuration: Configuration
  try {
    given = readArguments(args)
    if (given.help) {
      stdout.write(HELP)
      return 0
    }
    checkUrl(given.logoutUrl)
    configuration = configurationOf(env, given)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    stderr.write(`fastify-keycloak-bearer doctor: ${error.message}\n`)
    return 2
  }
  const report = await examine(configuration, given, readToken(env, stdin))
  // A terminal tells how many colours it has, by NO_COLOR too.
  stdout.write(given.json ? `${JSON.stringify(report, null, 2)}\n` : textOf(report, stdout.isTTY === true && stdout.hasColors?.() === true))
  return report.ok ? 0 : 1
}

function checkUrl (url: string | undefined): void {
  const fault = url === undefined ? undefined : realmUrlFault(url)
  if (fault !== undefined) throw new UsageError(`--logout-url must be an http or https URL, not ${fault}`)
}

async function examine ({ plugin, realms, guard }: Configuration, { logoutUrl }: Arguments, token: ReturnType<typeof readToken>): Promise<Report> {
  const open = await openRealms(plugin, realms)
  try {
    const [ofKeycloak, ofApi] = await Promise.all([Promise.all(open.realms.map(keycloakChecks)), apiChecks(logoutUrl, open)])
    const input = await token
    const explanation = input && await explainToken(input, open, guard)
    return reportOf([...ofKeycloak.flat(), ...ofApi, ...explanation?.checks ?? [NO_TOKEN]], explanation?.token)
  } finally {
    await open.close()
  }
}

async function apiChecks (logoutUrl: string | undefined, { shared }: OpenRealms): Promise<Check[]> {
  const list = new CheckList({ subject: 'api' })
  if (logoutUrl === undefined) return list.checks
  const problem = await checkLogoutUrl(logoutUrl, shared.closing)
  if (problem === undefined) list.add('logout_url', 'passed', { message: 'the back-channel logout URL leads to the route of the plugin' })
  else list.add('logout_url', 'failed', { code: 'logout_url', message: problem })
  return list.checks
}

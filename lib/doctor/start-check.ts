import type { FastifyInstance } from 'fastify'
import { codeOf } from '../errors.js'
import { BackgroundRetry } from '../util/background-retry.js'
import { TaskLimit } from '../util/task-limit.js'
import { aboutIssuer } from '../diagnostics/issuer-log.js'
import type { StartLog } from '../diagnostics/start-log.js'
import type { DoctorContext } from './run-checks.js'
import type { Finding } from './finding.js'

/** Milliseconds until the next check while Keycloak cannot be reached. */
const RETRY = { first: 1000, most: 30_000, jitter: 0.25, lengthens: undefined }

/** The issuers that are checked at once; further ones wait for their turn. */
const AT_ONCE = 16

/** Checks Keycloak at start and logs each finding once, in a sentence with the setting that cures it. */
export class StartCheck {
  readonly #context: DoctorContext
  readonly #log: StartLog
  readonly #limit: TaskLimit
  readonly #logged = new Set<string>()
  readonly #attempts = new BackgroundRetry(() => this.#attempt(), RETRY)
  #closed = false

  /** @param limit of the checks that run at once; shared by the checks of several issuers */
  constructor (context: DoctorContext, log: StartLog, limit = new TaskLimit(1)) {
    this.#context = context
    this.#log = log
    this.#limit = limit
  }

  /** Check once: warn of the doubtful findings, and give those that are certain to refuse requests. */
  async certainFindings (): Promise<Finding[]> {
    const findings = await this.#runChecks()
    for (const finding of findings) if (!finding.certain) this.#warn(finding)
    return findings.filter(({ certain }) => certain)
  }

  /** Check in the background, and again while Keycloak cannot be reached. It neither throws nor keeps the process alive. */
  async watch (): Promise<void> {
    await this.#attempts.attemptNow().catch(() => {})
  }

  close (): void {
    this.#closed = true
    this.#attempts.close()
  }

  /** @throws {Error} while Keycloak is away */
  async #attempt (): Promise<void> {
    const findings = await this.#runChecks().catch((error) => this.#fail(error))
    if (this.#closed || findings === undefined) return
    const hadWarnings = this.#logged.size > 0
    for (const finding of findings) this.#warn(finding)
    if (findings.some(({ away }) => away)) throw new Error('Keycloak is away')
    if (findings.length > 0) return
    this.#log[hadWarnings ? 'info' : 'debug']({ check: 'ok' }, `Keycloak answers at ${this.#context.settings.baseUrl}, and fits the options`)
  }

  /** Loads the checks when they are needed; usually the server listens by then. */
  async #runChecks (): Promise<Finding[]> {
    const { runChecks } = await import('./run-checks.js')
    return this.#limit.run(async () => this.#closed ? [] : runChecks(this.#context))
  }

  /** The check only gives advice, so its own failure ends no server, even if its files were replaced meanwhile. */
  #fail (error: unknown): void {
    this.#log.warn({ reason: codeOf(error) ?? 'an error without a code' }, 'the check at start could not be made; requests are checked as usual')
  }

  #warn ({ check, sentence, reason, reasonCode }: Finding): void {
    const key = `${check} ${reason}`
    if (this.#logged.has(key)) return
    this.#logged.add(key)
    this.#log.warn({ check, ...(reason !== undefined && { reason }), ...(reasonCode !== undefined && { reasonCode }) }, sentence)
  }
}

/** The check of one issuer. */
export interface IssuerCheck {
  context: DoctorContext
  /** Names the issuer, if there are several. */
  log: StartLog
  /** The name for the sentences of an error; `undefined` if there is one issuer alone. */
  name: string | undefined
}

/**
 * Check each issuer once, some of them at once: in the background as soon as the server listens, or before the start goes on.
 * @throws {Error} if checks are required and have findings that are certain to refuse requests: one error with all of them, and
 * in its `checks` their codes
 */
export async function checkKeycloak (fastify: FastifyInstance, issuers: readonly IssuerCheck[]): Promise<void> {
  const limit = new TaskLimit(AT_ONCE)
  const checks = issuers.map(({ context, log, name }) => ({ mode: context.settings.startCheck, name, check: new StartCheck(context, log, limit) }))
  const watched = checks.filter(({ mode }) => mode === 'warn')
  if (watched.length > 0) {
    // In the next turn of the event loop, so that the checks, whose modules are loaded now, do not delay who waits for listen().
    fastify.addHook('onListen', async () => { setImmediate(() => { for (const { check } of watched) void check.watch() }) })
    fastify.addHook('onClose', async () => { for (const { check } of watched) check.close() })
  }
  const required = checks.filter(({ mode }) => mode === 'require')
  const found = await Promise.all(required.map(async ({ name, check }) => {
    const findings = await check.certainFindings()
    return findings.map((finding) => name === undefined ? finding : { ...finding, sentence: aboutIssuer(name, finding.sentence) })
  }))
  const serious = found.flat()
  if (serious.length === 0) return
  const sentences = serious.map(({ sentence }) => sentence).join('. Also: ')
  throw Object.assign(new Error(`fastify-keycloak-bearer: ${sentences}`), { checks: serious.map(({ check }) => check) })
}

import type { FastifyInstance } from 'fastify'
import { codeOf } from '../errors.js'
import { BackgroundRetry } from '../util/background-retry.js'
import type { StartLog } from '../diagnostics/start-log.js'
import type { Patient } from './examine.js'
import type { Finding } from './finding.js'

/** While Keycloak is away it is looked at again. */
const RETRY = { first: 1000, most: 30_000, jitter: 0.25 }

/** Looks at Keycloak at start and says once what is wrong, each in a sentence with the setting that mends it. */
export class StartCheck {
  readonly #patient: Patient
  readonly #log: StartLog
  readonly #said = new Set<string>()
  readonly #looks = new BackgroundRetry(() => this.#look(), RETRY)
  #closed = false

  constructor (patient: Patient, log: StartLog) {
    this.#patient = patient
    this.#log = log
  }

  /**
   * Look once, before the start goes on.
   * @throws {Error} with all that is certain to refuse requests; its `checks` are their codes
   */
  async require (): Promise<void> {
    const findings = await this.#examine()
    const serious = findings.filter(({ certain }) => certain)
    for (const finding of findings) if (!finding.certain) this.#say(finding)
    if (serious.length === 0) return
    const sentences = serious.map(({ sentence }) => sentence).join('. Also: ')
    throw Object.assign(new Error(`fastify-keycloak-bearer: ${sentences}`), { checks: serious.map(({ check }) => check) })
  }

  /** Look in the background, and again while Keycloak is away. It neither throws nor keeps the process alive. */
  async watch (): Promise<void> {
    await this.#looks.attemptNow().catch(() => {})
  }

  close (): void {
    this.#closed = true
    this.#looks.close()
  }

  /** @throws {Error} while Keycloak is away */
  async #look (): Promise<void> {
    const findings = await this.#examine().catch((error) => this.#fail(error))
    if (this.#closed || findings === undefined) return
    const amiss = this.#said.size > 0
    for (const finding of findings) this.#say(finding)
    if (findings.some(({ away }) => away)) throw new Error('Keycloak is away')
    if (findings.length > 0) return
    this.#log[amiss ? 'info' : 'debug']({ check: 'ok' }, `Keycloak answers at ${this.#patient.settings.baseUrl}, and fits the options`)
  }

  /** Loaded when it is needed: usually the server listens by then. */
  async #examine (): Promise<Finding[]> {
    const { examine } = await import('./examine.js')
    return this.#closed ? [] : examine(this.#patient)
  }

  /** What only gives advice ends no server, whatever became of its files meanwhile. */
  #fail (error: unknown): void {
    this.#log.warn({ reason: codeOf(error) ?? 'an error without a code' }, 'the check at start could not be made; requests are judged all the same')
  }

  #say ({ check, sentence, reason }: Finding): void {
    const what = `${check} ${reason}`
    if (this.#said.has(what)) return
    this.#said.add(what)
    this.#log.warn({ check, ...(reason !== undefined && { reason }) }, sentence)
  }
}

/**
 * Look at Keycloak once: in the background as soon as the server listens, or before the start goes on.
 * @throws {Error} when that is required and something is wrong
 */
export async function lookAtKeycloak (fastify: FastifyInstance, patient: Patient, log: StartLog): Promise<void> {
  const { startCheck } = patient.settings
  if (startCheck === false) return
  const check = new StartCheck(patient, log)
  if (startCheck === 'require') return check.require()
  fastify.addHook('onListen', async () => { void check.watch() })
  fastify.addHook('onClose', async () => check.close())
}

// Asks Maven Central for the newest version of Keycloak, for `npm run test:keycloak -- --version newest`.
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const TIMEOUT = 120_000

/** @returns {Promise<string>} such as `26.7.3` */
export async function newestKeycloak () {
  const folder = mkdtempSync(join(tmpdir(), 'keycloak-newest-'))
  try {
    const artifact = 'org.keycloak:keycloak-quarkus-dist:RELEASE:pom'
    await promisify(execFile)('mvn', ['-q', '-B', '-U', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`], { cwd: folder, timeout: TIMEOUT })
    const [, version] = /^keycloak-quarkus-dist-(\d+\.\d+\.\d+)\.pom$/.exec(readdirSync(folder).join()) ?? []
    if (version === undefined) throw new Error(`its answer is ${readdirSync(folder)}`)
    return version
  } catch (error) {
    throw new Error(`Maven could not tell the newest version of Keycloak: ${error.message}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

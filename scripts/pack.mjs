// Packs the package as `npm pack` does, for the checks that use the tarball.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * dist/ is built only if it is not the build of these sources, so that a check never takes it away from another one beside it.
 * @returns the path of the tarball
 */
export async function pack (root, folder, npm) {
  await run(process.execPath, [join(root, 'scripts/build.mjs'), '--if-changed'])
  await npm(['pack', '--ignore-scripts', '--pack-destination', folder], root)
  return join(folder, readdirSync(folder).find((file) => file.endsWith('.tgz')))
}

// The documentation site, built and served as GitHub Pages does: below the name of the repository.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fastifyStatic from '@fastify/static'
import Fastify from 'fastify'
import type { Test } from 'tap'
import { CHILD_ENV } from './child-environment.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BASE = '/fastify-keycloak-bearer/'

/**
 * Builds the site into a folder of its own, and serves it on a free port of 127.0.0.1.
 * @returns its address with `/` at the end, its folder, and the paths of its pages, such as `examples/sse.html`
 */
export async function startSite (t: Test): Promise<{ url: string, folder: string, pages: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'site-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await promisify(execFile)(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build', 'docs', '--base', BASE, '--outDir', folder], {
    cwd: ROOT,
    // Without the hooks of the test runner.
    env: { ...CHILD_ENV, NODE_OPTIONS: '' }
  })
  const server = Fastify({ forceCloseConnections: true })
  t.teardown(() => server.close())
  await server.register(fastifyStatic, { root: folder, prefix: BASE })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const pages = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.html') && name !== '404.html').sort()
  return { url: url + BASE, folder, pages }
}

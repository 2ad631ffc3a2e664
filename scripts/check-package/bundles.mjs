// Bundles the package into one file by esbuild. The bundle must run without node_modules.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

/** Gives the bundle a `require`, which ES modules lack: Fastify's packages are CommonJS and require modules of Node. */
const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"

/** Bundles a file into a folder of its own below `to`. Resolves to [path of the bundle, its bytes]. */
export async function bundle (file, format, to, minify = false) {
  mkdirSync(to, { recursive: true })
  const outfile = join(to, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs')
  const { metafile } = await build({
    entryPoints: [file],
    outfile,
    format,
    minify,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    banner: format === 'esm' ? { js: BANNER } : {},
    metafile: true,
    logLevel: 'silent'
  })
  return [outfile, Object.values(metafile.outputs)[0].bytes]
}

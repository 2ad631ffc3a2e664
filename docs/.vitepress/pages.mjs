// Which file of the repository is which page of the site. Readers of GitHub follow links between files; on the site each of these
// links leads to the page of the file, or to a page with its source.
import { existsSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository, with `/` at its end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Files outside docs/ and examples/ that have pages. docs/security.md has the name of SECURITY.md already. */
const OTHERS = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'CODE_OF_CONDUCT.md': 'code-of-conduct.md',
  'SECURITY.md': 'report-a-vulnerability.md',
  'examples/README.md': 'examples/index.md'
}

/** Markdown files that are not pages. */
export const EXCLUDED = ['!(docs|examples)/**/*', 'examples/*/!(README).md', 'examples/*/*/**/*']

/**
 * The path of a page below the site: `docs/options.md` → `options.md`, `examples/sse/README.md` → `examples/sse.md`.
 * @returns the same path for files that are not pages
 */
export function pageOf (file) {
  return OTHERS[file] ?? file.replace(/^docs\//, '').replace(/^(examples\/[^/]+)\/README\.md$/, '$1.md')
}

/** Is a file a page? */
export function isPage (file) {
  return file in OTHERS || /^docs\/[^/]+\.md$|^examples\/[^/]+\/README\.md$/.test(file)
}

/**
 * The target of a link between files of the repository.
 * @param from file of the link, such as `docs/options.md`
 * @param url of the link, such as `../examples/sse#run`
 * @returns undefined if the link leads elsewhere, such as to https://www.rfc-editor.org or to a heading of its own page
 */
export function targetOf (from, url) {
  if (/^(?:[a-z][a-z\d+.-]*:|#|\/)/i.test(url)) return undefined
  const [, path, anchor] = /^([^#]*)(#.*)?$/.exec(decodeURI(url))
  const file = posix.join(posix.dirname(from), path).replace(/\/$/, '')
  const readme = posix.join(file, 'README.md')
  return { file: isFolder(file) && existsSync(ROOT + readme) ? readme : file, anchor: anchor ?? '' }
}

/** The address of a file: its page, or the page with its source. */
export function addressOf (file) {
  if (isPage(file)) return `/${pageOf(file).replace(/(^|\/)index\.md$/, '$1')}`
  return `/source/${file}.md`
}

export function isFolder (file) {
  return existsSync(ROOT + file) && statSync(ROOT + file).isDirectory()
}

// A page for each file and folder of the repository that a page links to and that is not a page itself.
import { readdirSync, readFileSync } from 'node:fs'
import { readPages } from '../../scripts/check-docs/pages.mjs'
import { isFolder, isPage, ROOT, targetOf } from '../.vitepress/pages.mjs'

export default {
  paths () {
    const targets = readPages(ROOT).filter(({ file }) => isPage(file))
      .flatMap(({ file, links }) => links.map(({ url }) => targetOf(file, url)?.file))
    const sources = new Set(targets.filter((file) => file !== undefined && !isPage(file) && !/\.(?:png|svg)$/.test(file)))
    return [...sources].sort().map((path) => ({ params: { path }, content: contentOf(path) }))
  }
}

function contentOf (path) {
  const files = isFolder(path) ? filesIn(path) : [path]
  return [`# ${path}`, ...files.flatMap((file) => [...files.length > 1 ? [`## ${file.slice(path.length + 1)}`] : [], blockOf(file)])].join('\n\n')
}

function filesIn (folder) {
  return readdirSync(ROOT + folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(ROOT.length))
    .filter((file) => !/node_modules|dist|tap-snapshots|package-lock|\.(?:png|ico|woff2?)$/.test(file)).sort()
}

/** Without a language, because colours of all sources would take a third of the time of the build. */
function blockOf (file) {
  return `\`\`\`\`txt\n${readFileSync(ROOT + file, 'utf8').trimEnd()}\n\`\`\`\``
}

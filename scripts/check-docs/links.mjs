// Checks that the files and headings exist to which links within the project lead.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function checkLinks (root, pages) {
  const byFile = new Map(pages.map((page) => [page.file, page]))
  return pages.flatMap(({ file, links }) => links.map(({ line, url }) => ({ file, line, message: wrong(root, byFile, file, url) })))
    .filter(({ message }) => message !== undefined)
}

function wrong (root, pages, from, url) {
  if (/^[a-z][a-z\d+.-]*:/i.test(url)) return undefined
  const [path, anchor] = decodeURI(url).split('#')
  const target = path === '' ? from : join(dirname(from), path)
  if (target.startsWith('..') || !existsSync(join(root, target))) return `links to ${url}, but there is no ${target}`
  if (anchor !== undefined && pages.has(target) && !pages.get(target).anchors.has(anchor)) return `links to ${url}, but ${target} has no heading #${anchor}`
  return undefined
}

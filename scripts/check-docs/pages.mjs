// Reads the Markdown pages: code blocks with their directives, links, anchors, tables and inline code.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Slugger from 'github-slugger'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { toString } from 'mdast-util-to-string'
import { gfm } from 'micromark-extension-gfm'

/** The pages of the project, as { file, blocks, links, anchors, tables, inlineCodes }. */
export function readPages (root) {
  const folders = ['.', '.changeset', 'docs', 'benchmarks', 'examples', ...foldersIn(root, 'examples')]
  const files = folders.flatMap((folder) => filesIn(root, folder).map((file) => join(folder, file)))
  return files.map((file) => readPage(file, readFileSync(join(root, file), 'utf8')))
}

function filesIn (root, folder) {
  return readdirSync(join(root, folder)).filter((file) => file.endsWith('.md')).sort()
}

function foldersIn (root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name))
}

function readPage (file, text) {
  const page = { file, blocks: [], links: [], anchors: new Set(), tables: [], inlineCodes: [] }
  const slugger = new Slugger()
  walk(fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }), null, (node, before) => {
    const line = node.position.start.line
    if (node.type === 'heading') page.anchors.add(slugger.slug(toString(node)))
    if (node.type === 'html') for (const [, id] of node.value.matchAll(/<\w+[^>]*\s(?:id|name)="([^"]+)"/g)) page.anchors.add(id)
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition') page.links.push({ line, url: node.url })
    if (node.type === 'html') for (const [, url] of node.value.matchAll(/\s(?:href|src)="([^"]+)"/g)) page.links.push({ line, url })
    if (node.type === 'inlineCode') page.inlineCodes.push({ line, text: node.value })
    if (node.type === 'table') page.tables.push(tableOf(node))
    if (node.type === 'code') page.blocks.push({ file, line: line + 1, language: node.lang ?? '', text: node.value, ...directiveOf(before) })
  })
  return page
}

/** A table as rows of cells, each { text, codes }; the first row is its header. */
function tableOf (node) {
  return {
    line: node.position.start.line,
    rows: node.children.map((row) => ({
      line: row.position.start.line,
      cells: row.children.map((cell) => {
        const codes = []
        walk(cell, null, (inner) => { if (inner.type === 'inlineCode') codes.push(inner.value) })
        return { text: toString(cell), codes }
      })
    }))
  }
}

/**
 * The directive in the comment before a block:
 *
 *   <!-- no-check: reason -->    nothing
 *   <!-- check: code -->         type-check it with this code before it, or around it: … stands for the block
 *   <!-- run: code -->           run it too, with this code after it, or around it
 *   <!-- file: path -->          the file has this text, and is checked and tested where it is
 */
function directiveOf (before) {
  const [, name, code = ''] = before?.type === 'html' ? /^<!--\s*(no-check|check|run|file)\b:?([^]*?)-->\s*$/.exec(before.value) ?? [] : []
  return { directive: name, code: code.trim(), directiveLine: before?.position.start.line }
}

function walk (node, before, visit) {
  visit(node, before)
  let previous = null
  for (const child of node.children ?? []) {
    walk(child, previous, visit)
    previous = child
  }
}

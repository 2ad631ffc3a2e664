// Markdown as GitHub shows it: the same anchors, links between files, lists of tasks, no comments. And a row of a table can be linked to by its code.
import { relative } from 'node:path'
import { tasklist } from '@mdit/plugin-tasklist'
import { slug } from 'github-slugger'
import { addressOf, ROOT, targetOf } from './pages.mjs'

const COMMENT = /<!--[^]*?-->/g

/** Codes and options at the start of a row: `aud_mismatch`, `jwks.maxStale`. */
const ROW = /^[a-z][\w.]*$/i

/** The options of VitePress for Markdown. */
export const markdown = {
  anchor: { slugify: slug },
  config (md) {
    md.use(tasklist, { disabled: false })
    md.core.ruler.push('repository', ({ tokens, env }) => {
      const file = relative(ROOT, env.realPath ?? env.path)
      withoutComments(tokens)
      for (const { children } of tokens) for (const token of children ?? []) if (token.type === 'link_open') redirect(token, file)
      nameRows(tokens)
    })
  }
}

/** The comments before code blocks are instructions for `npm run check:docs`. */
function withoutComments (tokens) {
  for (const token of tokens.flatMap((each) => [each, ...each.children ?? []])) {
    if (token.type === 'html_block' || token.type === 'html_inline') token.content = token.content.replace(COMMENT, '')
  }
}

function redirect (token, from) {
  const target = targetOf(from, token.attrGet('href'))
  if (target !== undefined) token.attrSet('href', addressOf(target.file) + target.anchor)
}

/** Gives a row the id of its code, unless a heading of the page has it. */
function nameRows (tokens) {
  const taken = new Set(tokens.filter(({ type }) => type === 'heading_open').map((token) => token.attrGet('id')))
  tokens.forEach((token, at) => {
    if (token.type !== 'tr_open' || tokens[at + 1].type !== 'td_open') return
    const [first] = tokens[at + 2].children
    if (first?.type !== 'code_inline' || !ROW.test(first.content) || taken.has(first.content)) return
    taken.add(first.content)
    token.attrSet('id', first.content)
  })
}

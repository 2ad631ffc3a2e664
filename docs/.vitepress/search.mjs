// The index of the search: a section for each heading, and one for each row of a table that has an id, so that a code or an option
// is found with its sentence, and the result leads to the row.

const HEADING = /<h(\d) id="([^"]*)"[^>]*>([^]*?)<\/h\1>/
const ROW = /<tr id="([^"]+)">([^]*?)<\/tr>/g

/** @returns the sections of a page: the id that a result leads to, the titles above it and its own, and its text */
export function * sectionsOf (_file, html) {
  // [before, level, id, title, content, level, …]
  const parts = html.split(new RegExp(HEADING, 'g')).slice(1)
  const titles = []
  for (let at = 0; at < parts.length; at += 4) {
    const [level, anchor, title, content] = parts.slice(at, at + 4)
    titles.length = level - 1
    titles[level - 1] = textOf(title.replace(/<a class="header-anchor"[^]*?<\/a>/, ''))
    const above = titles.filter(Boolean)
    yield { anchor, titles: above, text: textOf(content.replace(ROW, '')) || above.at(-1) }
    for (const [, id, row] of content.matchAll(ROW)) yield { anchor: id, titles: [...above, id], text: textOf(row) }
  }
}

/** The text without a highlighter, which would take as long as the pages themselves. */
export function render (source, env, md) {
  md.options.highlight = null
  return md.render(source, env)
}

function textOf (html) {
  return html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim()
}

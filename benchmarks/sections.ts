// The sections of docs/performance.md that are written by the benchmarks.

/** @throws {Error} without the section's two markers */
export function replaceSection (page: string, name: string, text: string): string {
  const begin = `<!-- ${name}: written by npm run bench -->\n`
  const end = `<!-- end of ${name} -->`
  const from = page.indexOf(begin)
  const to = page.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`the page has no section between "${begin.trim()}" and "${end}"`)
  return `${page.slice(0, from + begin.length)}\n${text}\n\n${page.slice(to)}`
}

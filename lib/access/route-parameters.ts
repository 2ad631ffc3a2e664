/**
 * The names of the parameters in the URL of a route, as the router reads it: `:id`, an optional `:id?`, one with a regular
 * expression `:id(^\d+$)`, several in one segment `:from-:to`, and `*`. Two colons are one colon of the path.
 */
export function parametersIn (url: string): Set<string> {
  const names = new Set<string>()
  for (let at = 0; at < url.length; at++) {
    if (url[at] === '*') names.add('*')
    if (url[at] !== ':') continue
    if (url[at + 1] === ':') {
      at++
      continue
    }
    const name = /^[^(\-./]*/.exec(url.slice(at + 1))![0]
    names.add(name.replace(/\?$/, ''))
    at += name.length
    if (url[at + 1] === '(') at = endOfExpression(url, at + 1)
  }
  return names
}

/** The place of the parenthesis that closes a regular expression; the router has refused a URL without it. */
function endOfExpression (url: string, from: number): number {
  let open = 0
  for (let at = from; at < url.length; at++) {
    if (url[at] === '\\') at++
    else if (url[at] === '(') open++
    else if (url[at] === ')' && --open === 0) return at
  }
  return url.length
}

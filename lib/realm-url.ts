/** Printable ASCII without what ends, quotes or escapes: it stands in headers and is compared to the letter. */
const CLEAN = /^https?:\/\/[!#-[\]-~]+$/

/** What a template or an environment variable leaves that was not filled in. */
const UNFILLED = /(?:^|[/.:])(undefined|null)(?=[/:.]|$)|(\$\{|\[object)/

/** Pages and endpoints of a realm that are taken for its URL: what comes before `/realms/`, and the realm's name. */
const PAGES = [
  /^(.*)\/admin\/[^/#?]+\/console[^#?]*#\/(?:realms\/)?([^/?]+)/,
  /^(.*)\/admin\/([^/#?]+)\/console/,
  /^(.*)\/realms\/([^/#?]+)\/(?:\.well-known|protocol|account|login-actions)(?:[/#?]|$)/
]

/** A table: what a URL must not be, in words; the first that matches is it. */
const FAULTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^\s|\s$/, 'one with white space around it: write .trim()'],
  [/^["'`]/, 'one with quotes of its own around it'],
  [/^(?!https?:\/\/)/, 'one that does not begin with http:// or https://'],
  [/^https?:\/\/[^/]*@/, 'one with a user name'],
  [/#/, 'one with a fragment (#)'],
  [/\?/, 'one with a query (?)']
]

/** Is this the URL of a realm, as tokens carry it: http or https, no user name, query or fragment, nothing to trim? */
export function isRealmUrl (value: string): boolean {
  return CLEAN.test(value) && URL.canParse(value) && !/[?#]/.test(value) && !/^https?:\/\/[^/]*@/.test(value)
}

/** What is wrong with the URL of a realm, in words, and what to write instead where that can be told. */
export function realmUrlFault (value: string): string | undefined {
  const [, word, sign] = UNFILLED.exec(value) ?? []
  if (word ?? sign) return `one with "${word ?? sign}" in it: is an environment variable unset?`
  const realm = realmOfPage(value.trim())
  if (realm !== undefined) return `the address of one of its pages: write "${realm}"`
  if (isRealmUrl(value)) return undefined
  const fault = FAULTS.find(([wrong]) => wrong.test(value))
  return fault?.[1] ?? 'one with characters that no URL has'
}

function realmOfPage (value: string): string | undefined {
  const [, before, name] = PAGES.map((page) => page.exec(value)).find((found) => found !== null) ?? []
  const realm = `${before}/realms/${name}`
  return isRealmUrl(realm) ? realm : undefined
}

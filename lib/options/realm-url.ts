/** Printable ASCII without blank, quote and backslash: the URL is part of headers, and is compared character by character. */
const CLEAN = /^https?:\/\/(?!\/)[!#-[\]-~]+$/

/** A placeholder of a template, a page of documentation or an environment variable that was not filled in. */
const UNFILLED = /(?:^|[/.:])(undefined|null)(?=[/:.]|$)|(\$?\{|\[object)|[/.:](<[\w .-]{1,40}>)/

/** An invisible character in a URL: control characters, unpaired surrogates, and every blank except the space. */
const INVISIBLE = /^https?:\/\/.*?(?! )([\p{Cc}\p{Cf}\p{Cs}\p{Z}])/su

/** Pages and endpoints of a realm that are given instead of its URL. Groups: the part before `/realms/`, the realm's name. */
const PAGES = [
  /^(.*)\/admin\/[^/#?]+\/console[^#?]*#\/(?:realms\/)?([^/?]+)/,
  /^(.*)\/admin\/([^/#?]+)\/console/,
  /^(.*)\/realms\/([^/#?]+)\/(?:\.well-known|protocol|account|login-actions)(?:[/#?]|$)/
]

/** Faults of a URL, and the words for them; the first match counts. */
const FAULTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^\s|\s$/, 'one with white space around it: write .trim()'],
  [/^["'`]/, 'one with quotes of its own around it'],
  [/^(?!https?:\/\/)/, 'one that does not begin with http:// or https://'],
  [/^https?:\/\/[^/]*@/, 'one with a user name'],
  [/^https?:\/\/(?:[/\\]|$)/, 'one without a host'],
  [/#/, 'one with a fragment (#)'],
  [/\?/, 'one with a query (?)'],
  [/["`]$/, 'one with a quote at its end']
]

/** A character that has to be encoded in a path (RFC 3986 section 3.3). */
const TO_ENCODE = /[^\w.~!$&'()*+,;=:@/%-]/u

/** A percent sign that encodes nothing. */
const STRAY_PERCENT = /%(?![\dA-Fa-f]{2})/

/** Reasons to write a URL in another way, with the words for the character that was found. */
const REWRITTEN: ReadonlyArray<readonly [RegExp, (character: string) => string]> = [
  [/\\/, () => 'one with backslashes: write'],
  [/(?<=^https?:\/\/[^/]*)\P{ASCII}/u, (character) => `one with "${character}" in its host: write`],
  [new RegExp(`(?<=^https?://[^/]*/.*)${TO_ENCODE.source}`, 'u'), (character) => `one with ${JSON.stringify(character)} in it: encode it, and write`],
  [STRAY_PERCENT, () => 'one with a "%" that encodes nothing: encode it, and write'],
  [/^/, () => 'one that is not encoded as Keycloak does it: write']
]

/** Is this the URL of a realm, as tokens have it: http or https, no user name, query or fragment, and no blanks around it? */
export function isRealmUrl (value: string): boolean {
  return CLEAN.test(value) && URL.canParse(value) && !/[?#]/.test(value) && !/^https?:\/\/[^/]*@/.test(value)
}

/** The realm's name in Keycloak: the last part of its URL, decoded. */
export function realmNameOf (issuer: string): string {
  const last = issuer.split('/').filter(Boolean).at(-1)!
  try {
    return decodeURIComponent(last)
  } catch {
    // The bytes of the URL are no text, such as %FF.
    return last
  }
}

/** The fault of a realm's URL in words, with the right URL if it can be derived; `undefined` if there is no fault. */
export function realmUrlFault (value: string): string | undefined {
  const [, word, sign, placeholder] = UNFILLED.exec(value) ?? []
  const unfilled = word ?? sign ?? placeholder
  if (unfilled !== undefined) return `one with "${unfilled}" in it: is an environment variable unset?`
  const [, hidden] = INVISIBLE.exec(value.trim()) ?? []
  if (hidden !== undefined) return `one with an invisible character (U+${hidden.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}) in it: leave it out`
  const realm = realmOfPage(value.trim())
  if (realm !== undefined) return `the address of one of its pages: write "${realm}"`
  const fault = FAULTS.find(([wrong]) => wrong.test(value))
  return fault === undefined ? encodingFault(value) : fault[1]
}

function realmOfPage (value: string): string | undefined {
  const [, before, name] = PAGES.map((page) => page.exec(value)).find((found) => found !== null) ?? []
  return name === undefined ? undefined : encoded(`${before}/realms/${name}`)
}

function encodingFault (value: string): string | undefined {
  const right = encoded(value.replaceAll('\\', '/'))
  if (right === undefined) return 'one whose host or port is not valid'
  if (right === value) return undefined
  const [[character], saying] = REWRITTEN.map(([pattern, words]) => [pattern.exec(value), words] as const)
    .find((found): found is [RegExpExecArray, typeof found[1]] => found[0] !== null)!
  return `${saying(character!)} "${right}"`
}

/**
 * The URL as Keycloak 26.7.3 writes it into `iss`: characters that a path cannot have are encoded, in the realm's name no
 * other character is, and the encoding has capital letters (RFC 3986 section 6.2.2). The host becomes ASCII; its capital
 * letters stay, because Keycloak keeps those of its hostname option. `undefined` if the result is not the URL of a realm.
 */
function encoded (value: string): string | undefined {
  const [, scheme, host, path] = /^(https?:\/\/)([^/]+)(.*)$/s.exec(value) ?? []
  if (!URL.canParse(`${scheme}${host}`)) return undefined
  const written = path!.replaceAll(new RegExp(STRAY_PERCENT, 'g'), '%25')
    .replaceAll(new RegExp(TO_ENCODE, 'gu'), encodeURIComponent)
    .replace(/(?<=\/realms\/)[^/]+(?=\/?$)/, (name) => name.replaceAll(/%../g, encodedOnce))
  const url = `${scheme}${/^\p{ASCII}*$/u.test(host!) ? host : new URL(`${scheme}${host}`).host}${written}`
  return isRealmUrl(url) ? url : undefined
}

/** A character that needs no encoding is decoded: `%61` becomes `a`. Others get capital letters: `%c3` becomes `%C3`. */
function encodedOnce (triplet: string): string {
  const character = String.fromCharCode(parseInt(triplet.slice(1), 16))
  return /[\w.~-]/.test(character) ? character : triplet.toUpperCase()
}

/** Printable ASCII without what ends, quotes or escapes: it stands in headers and is compared to the letter. */
const CLEAN = /^https?:\/\/[!#-[\]-~]+$/

/** Is this the URL of a realm, as tokens carry it: http or https, no user name, query or fragment, nothing to trim? */
export function isRealmUrl (value: string): boolean {
  return CLEAN.test(value) && URL.canParse(value) && !/[?#]/.test(value) && !/^https?:\/\/[^/]*@/.test(value)
}

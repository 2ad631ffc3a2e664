/** A row of the table of reasons. docs/troubleshooting.md shows all of them, and a test holds the page against the table. */
export interface Entry {
  /** The problem: `aud[ {aud}] names none of the audience`. A part in brackets is left out if its value is missing. */
  sentence: string
  /** The cure, for an operator. It replaces `{advice}` in the sentence. */
  advice: string
  /** The codes of Node, OpenSSL and undici for this reason. */
  causes?: readonly string[]
}

export type Entries = Readonly<Record<string, Entry>>

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never

type OutsideBrackets<Text extends string> = Text extends `${infer Before}[${string}]${infer After}` ? `${Before}${OutsideBrackets<After>}` : Text

type Text<Row extends Entry> = Row['sentence'] extends `${string}{advice}${string}` ? `${Row['sentence']} ${Row['advice']}` : Row['sentence']

type Needed<Row extends Entry> = Exclude<Names<OutsideBrackets<Text<Row>>>, 'advice'>

type Value = string | number

/** The values of a row's sentence; those in brackets may be missing. */
export type ValuesOf<Row extends Entry> = { readonly [Name in Needed<Row>]: Value } & { readonly [Name in Exclude<Names<Text<Row>>, 'advice'>]?: Value | undefined }

/** Does a sentence need no values? */
export type IsPlain<Row extends Entry> = [Needed<Row>] extends [never] ? true : false

type Values = Readonly<Record<string, Value | undefined>>

/** Fill a sentence with its advice and with values, which must be safe to show. */
export function fill ({ sentence, advice }: Entry, values: Values): string {
  const text = sentence.replace('{advice}', () => advice)
  return text.replace(/\[([^\]]*)\]/g, (_group, inner: string) => namesIn(inner).every((name) => valueOf(values, name) !== undefined) ? inner : '')
    .replace(/\{(\w+)\}/g, (_name, name: string) => String(valueOf(values, name) ?? '…'))
}

/** Only own values: nobody has made a value safe that all objects inherit. */
function valueOf (values: Values, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

function namesIn (text: string): string[] {
  return Array.from(text.matchAll(/\{(\w+)\}/g), ([, name]) => name!)
}

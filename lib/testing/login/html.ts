/** Text that is HTML, and needs no escaping. */
export class Html {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** HTML in which each value is escaped, unless the value is `Html` or a list of `Html`. */
export function html (strings: TemplateStringsArray, ...values: ReadonlyArray<string | Html | readonly Html[]>): Html {
  return new Html(strings.reduce((text, string, index) => text + written(values[index - 1]!) + string))
}

function written (value: string | Html | readonly Html[]): string {
  if (value instanceof Html) return value.text
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
  return value.map(({ text }) => text).join('')
}

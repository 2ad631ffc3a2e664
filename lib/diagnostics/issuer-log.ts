/** The methods of a log that the parts of a realm use; a line may have members before its sentence. */
interface Lines {
  warn: (...line: never[]) => void
  info: (...line: never[]) => void
  debug: (...line: never[]) => void
}

/** A sentence about one of several issuers: `issuer acme: Keycloak cannot be used at certs: …`. */
export function aboutIssuer (name: string, sentence: string): string {
  return `issuer ${name}: ${sentence}`
}

/** The log of one of several issuers: each line has its name in the member `issuer`, for alerts, and in the sentence. */
export function issuerLog<Log extends Lines> (log: Log, name: string): Log {
  const lines = (level: keyof Lines) => (...line: [object, string] | [string]) => {
    const [members, sentence] = line.length === 1 ? [undefined, line[0]] : line
    const write = log[level] as (members: object, sentence: string) => void
    write.call(log, { ...members, issuer: name }, aboutIssuer(name, sentence))
  }
  return Object.assign(Object.create(log), { warn: lines('warn'), info: lines('info'), debug: lines('debug') })
}

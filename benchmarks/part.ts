/** The result of one part of the benchmarks, for the report. */
export interface Part {
  /** Markdown. */
  text: string
  /** For the table of targets. */
  values: Readonly<Record<string, number>>
}

/** NODE_ENV, without what people add to it by accident: capitals, and the space that `set NODE_ENV=test && …` leaves on Windows. */
function environment (): string {
  return (process.env.NODE_ENV ?? '').trim().toLowerCase()
}

/** Does NODE_ENV name production? Each spelling counts, such as `production`, `prod`, `Production` or `prod-eu`. */
export function isProduction (): boolean {
  return /^pro?d/.test(environment())
}

/** Does NODE_ENV name tests or development? Only `test` and `development` do: it is what lifts a protection. */
export function isTestOrDevelopment (): boolean {
  return ['test', 'development'].includes(environment())
}

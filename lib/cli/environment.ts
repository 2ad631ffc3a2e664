/** The environment variables of the doctor. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The value of a variable; one that is empty is not set. */
export function variable (env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name]
}

declare const instead: unique symbol

/**
 * A type that no value has. It stands where something wrong is often written, so that the compiler says what to write:
 * `Type 'string' is not assignable to type 'WriteInstead<"permission">'`.
 */
export interface WriteInstead<Hint> {
  readonly [instead]: Hint
}

/**
 * A type that no value has. It stands where something wrong is often written, so that the compiler says what to write:
 * `Type 'string' is not assignable to type 'WriteInstead<"permission">'`.
 *
 * No unique symbol marks it: the declarations of the ES module and of CommonJS may meet in one program, where they extend
 * the same interfaces of Fastify and must be identical.
 */
export interface WriteInstead<Hint> {
  /** What to write. */
  readonly 'write instead': Hint
}

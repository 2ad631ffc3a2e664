/**
 * A type that no value has, for members and names that are often written wrong. The compiler's message has the right one:
 * `Type 'string' is not assignable to type 'WriteInstead<"permission">'`.
 *
 * The type has no unique symbol, because the declarations of the ES module and of CommonJS may meet in one program, where
 * they extend the same interfaces of Fastify and must be identical.
 */
export interface WriteInstead<Hint> {
  /** The right spelling, or a hint. */
  readonly 'write instead': Hint
}

/** Keeps the compiler's message about an undeclared name short; without this type, the message lists the whole rule. */
export type OneOf<Name extends string> = string extends Name ? never : WriteInstead<Name>

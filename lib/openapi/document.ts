/** A security requirement: names of schemes, and the scopes that each must grant. */
export type Requirement = Readonly<Record<string, readonly string[]>>

/** The members of an OpenAPI 3 document that the transform reads and adds. */
export interface Document {
  security?: readonly Requirement[]
  components?: { [section in Section]?: Readonly<Record<string, object>> }
}

type Section = 'schemas' | 'securitySchemes'

/** Marks the parts of a document that `openapi()` made and may change; no serializer sees the mark. */
const OURS = Symbol.for('fastify-keycloak-bearer.openapi')

/** Did some `openapi()` make this part of the document, rather than the user? */
export function isOurs (part: object): boolean {
  return Object.hasOwn(part, OURS)
}

/** Adds a component. The document's sections are replaced, not changed, because they may be objects of the user's options. */
export function addComponent (document: Document, section: Section, name: string, part: object): void {
  Object.defineProperty(part, OURS, { value: true })
  document.components = {
    ...document.components,
    [section]: { ...document.components?.[section], [name]: part }
  }
}

/** A component, if there is one of that name. */
export function component (document: Document, section: Section, name: string): object | undefined {
  const parts = document.components?.[section]
  return parts !== undefined && Object.hasOwn(parts, name) ? parts[name] : undefined
}

/**
 * The messages of the protocol as objects, after either codec. Fields with their default value are absent.
 *
 * JSON inside of messages (`config`, schemas) is parsed. Stores are not here: they are read in place, by
 * `wire/stored-document.ts`.
 */
import type { ENUMS } from './wire/message-types.ts'

/** Requests by name, in the order of their tags. */
export const REQUEST_KINDS = [
  'spec',
  'validate',
  'apply',
  'open',
  'load',
  'flush',
  'store',
  'startCommit',
  'acknowledge',
] as const

export type RequestKind = (typeof REQUEST_KINDS)[number]

export interface ValidateRequest {
  readonly config?: unknown
  readonly bindings?: readonly ValidateBinding[]
  readonly lastMaterialization?: MaterializationSpec
  /** Where it is not empty, bindings have an index into it instead of a collection. */
  readonly linkedCollections?: readonly CollectionSpec[]
}

export interface ValidateBinding {
  readonly resourceConfig?: unknown
  readonly collection?: CollectionSpec
  readonly collectionIndex?: number
}

export interface ApplyRequest {
  readonly materialization?: MaterializationSpec
}

export interface OpenRequest {
  readonly materialization?: MaterializationSpec
}

export interface MaterializationSpec {
  readonly name?: string
  readonly config?: unknown
  readonly bindings?: readonly MaterializationBinding[]
  readonly linkedCollections?: readonly CollectionSpec[]
}

export interface MaterializationBinding {
  readonly resourceConfig?: unknown
  readonly resourcePath?: readonly string[]
  readonly collection?: CollectionSpec
  readonly collectionIndex?: number
  readonly fieldSelection?: FieldSelection
}

export interface FieldSelection {
  /** In the order of the collection's key. */
  readonly keys?: readonly string[]
  /** Sorted by bytes. */
  readonly values?: readonly string[]
  /** Name of the field that holds the whole document. */
  readonly document?: string
}

export interface CollectionSpec {
  readonly name?: string
  readonly writeSchema?: unknown
  /** Present only if it differs from `writeSchema`. */
  readonly readSchema?: unknown
  readonly projections?: readonly Projection[]
}

export interface Projection {
  /** Absent for the whole document. */
  readonly ptr?: string
  readonly field?: string
  readonly isPrimaryKey?: boolean
  readonly inference?: Inference
}

export interface Inference {
  readonly types?: readonly string[]
  readonly default?: unknown
  readonly exists?: keyof typeof ENUMS.Exists
}

export interface Constraint {
  readonly type: keyof typeof ENUMS.ConstraintType
  readonly reason: string
}

export interface ValidatedBinding {
  readonly resourcePath: readonly string[]
  readonly deltaUpdates: true
  readonly serPolicy: {
    readonly strTruncateAfter: number
    readonly nestedObjTruncateAfter: number
    readonly arrayTruncateAfter: number
  }
  readonly projectionConstraints: readonly { readonly field: string; readonly constraint: Constraint }[]
}

export interface SpecResponse {
  readonly configSchema: object
  readonly documentationUrl: string
  readonly protocol: number
  readonly resourceConfigSchema: object
}

/** A response; exactly one of its fields is set. */
export type Response =
  | { readonly spec: SpecResponse }
  | { readonly validated: { readonly bindings?: readonly ValidatedBinding[] } }
  | { readonly applied: { readonly actionDescription?: string } }
  | { readonly opened: Empty }
  | { readonly flushed: Empty }
  | { readonly startedCommit: Empty }
  | { readonly acknowledged: Empty }

export type Empty = { readonly [none in never]: never }

/**
 * The collection of a binding: its own, or one of those that are listed once. Where any are listed, the index counts, whatever else the
 * binding has.
 */
export function collectionOf(
  { collection, collectionIndex = 0 }: { readonly collection?: CollectionSpec; readonly collectionIndex?: number },
  linked: readonly CollectionSpec[],
): CollectionSpec | undefined {
  return linked.length === 0 ? collection : linked[collectionIndex]
}

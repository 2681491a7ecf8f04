/** Reads what is needed of a catalog of Flow: collections, and one materialization. */
import { readDocument } from '../../packages/millrace/src/dialects/document.ts'
import type { Collection } from './collection.ts'

export interface TaskBinding {
  readonly collection: Collection
  readonly resource: { readonly topic: string }
  /** Fields to select beside the recommended ones, and not to select. */
  readonly required: readonly string[]
  readonly excluded: readonly string[]
}

export interface Task {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly codec: 'proto' | 'json'
  readonly bindings: readonly TaskBinding[]
}

interface CatalogueFile {
  readonly collections?: Readonly<Record<string, { readonly schema?: unknown; readonly key?: readonly string[] }>>
  readonly materializations?: Readonly<Record<string, MaterializationFile>>
}

interface MaterializationFile {
  readonly endpoint?: {
    readonly local?: { readonly config?: Readonly<Record<string, unknown>>; readonly protobuf?: boolean }
  }
  readonly bindings?: readonly {
    readonly source?: string
    readonly resource?: { readonly topic?: string }
    readonly fields?: { readonly require?: object; readonly exclude?: readonly string[] }
  }[]
}

/** The first materialization of a catalog, or the one with a name. @throws {Error} saying what is missing */
export async function readTask(file: string, wanted?: string): Promise<Task> {
  const { value } = await readDocument(file)
  const { collections = {}, materializations = {} } = (value ?? {}) as CatalogueFile
  const name = wanted ?? Object.keys(materializations)[0]
  const found = name === undefined ? undefined : materializations[name]
  if (name === undefined || found === undefined)
    throw new Error(`${file} has no materialization${wanted === undefined ? '' : ` "${wanted}"`}`)
  const { local } = found.endpoint ?? {}
  if (local?.config === undefined) throw new Error(`${file}: materialization "${name}" needs endpoint.local.config`)
  const bindings = (found.bindings ?? []).map(({ source, resource, fields = {} }): TaskBinding => {
    const { schema, key } = collections[source ?? ''] ?? {}
    if (source === undefined || schema === undefined || key === undefined)
      throw new Error(`${file}: collection "${source}" needs a schema and a key`)
    if (resource?.topic === undefined) throw new Error(`${file}: the binding of "${source}" needs resource.topic`)
    return {
      collection: { name: source, schema, key },
      resource: { topic: resource.topic },
      required: Object.keys(fields.require ?? {}),
      excluded: fields.exclude ?? [],
    }
  })
  return { name, config: local.config, codec: local.protobuf === true ? 'proto' : 'json', bindings }
}

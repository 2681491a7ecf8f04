/**
 * Schema registries: a client, the wire format of records that name their schema, and the options of both.
 *
 * Knows nothing of Kafka and of the formats themselves; `codecs/` does. May import contracts, options, security and errors.
 */
import { SchemaRegistry } from './client.ts'
import type { RegistrySettings } from './settings.ts'

export { SchemaRegistry } from './client.ts'

interface Shared {
  readonly registry: SchemaRegistry
  users: number
}

const shared = new Map<string, Shared>()

/**
 * The client of a registry, one for all in this process that ask with the same settings: a schema is fetched once, however many
 * sources, sinks and partitions use it. `release` must be called once for each call.
 */
export function sharedRegistry(
  settings: RegistrySettings,
  directory: string,
): { readonly registry: SchemaRegistry; readonly release: () => Promise<void> } {
  const key = JSON.stringify([settings, settings.tls === undefined ? '' : directory])
  let entry = shared.get(key)
  if (entry === undefined) shared.set(key, (entry = { registry: new SchemaRegistry(settings, directory), users: 0 }))
  const used = entry
  used.users++
  let isReleased = false
  return {
    registry: used.registry,
    async release() {
      if (isReleased) return
      isReleased = true
      if (--used.users > 0) return
      shared.delete(key)
      await used.registry.close()
    },
  }
}

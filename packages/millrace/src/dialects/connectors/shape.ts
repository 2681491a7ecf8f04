/** Recognises the shape of Rivven. A file of its own, so that other shapes do not load what this one needs. */
import { isObject } from '../../options/values.ts'

/** Whether the content of a file is of connectors: by name, or a single one. */
export function isConnectors(value: unknown): boolean {
  if (!isObject(value)) return false
  return ['sources', 'sinks', 'bridges', 'broker'].some((name) => hasEntries(value, name)) || isSingleConnector(value)
}

/** `sinks: {type: stdout}` beside `source` is a slip for `sink`: connectors lie below names of their own. */
function hasEntries(value: { readonly [name: string]: unknown }, name: string): boolean {
  const entries = value[name]
  if (!isObject(entries)) return false
  return !('source' in value || 'sink' in value) || typeof entries['type'] !== 'string'
}

/** Whether a file is one entry of `sources` or `sinks`: `type` or `connector`, and `config`. */
export function isSingleConnector(value: { readonly [name: string]: unknown }): boolean {
  const type = value['type'] ?? value['connector']
  return (
    typeof type === 'string' && !('source' in value) && !('sink' in value) && ('config' in value || 'topics' in value)
  )
}

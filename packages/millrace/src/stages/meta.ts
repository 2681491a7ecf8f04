/**
 * Finds out whether a pipeline looks at `_meta`: where its records came from.
 *
 * Only then `_meta` is attached to documents, because making it costs time for every record.
 */

const MENTION = /(^|[$.])_meta(\.|$)/
/** Functions of stage graphs have columns in the midst of texts, too: `_meta.offset * 2`. */
const WORD = /\b_meta\b/

/**
 * Whether any stage reads or writes `_meta`, however deep in its expressions. `$unset: _meta` does not count: where
 * nothing was attached there is nothing to take away.
 *
 * @param stages names and specifications, as in a pipeline plan
 */
export function mentionsMeta(stages: readonly { readonly name: string; readonly spec: unknown }[]): boolean {
  return stages.some(({ name, spec }) =>
    name.startsWith('$') ? name !== '$unset' && mentions(spec) : WORD.test(JSON.stringify(spec) ?? ''),
  )
}

/** Whether the specification of a stage asks which documents are tombstones; otherwise these pass it as they are. */
export function asksForTombstones(spec: unknown): boolean {
  return JSON.stringify(spec)?.includes('_meta.tombstone') ?? false
}

/** Whether one of some fields that a stage writes or takes away is the key of the record, or below it. */
export function namesKey(paths: readonly (readonly string[])[]): boolean {
  return paths.some(([first, second]) => first === '_meta' && second === 'key')
}

function mentions(spec: unknown): boolean {
  if (typeof spec === 'string') return MENTION.test(spec)
  if (typeof spec !== 'object' || spec === null) return false
  return Object.entries(spec).some(([name, value]) => MENTION.test(name) || mentions(value))
}
